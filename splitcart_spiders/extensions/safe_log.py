"""Cleans what a crawl logs: no secret of DATABASE_URL, no control character of a site, in messages or tracebacks."""

import functools
import logging
import sys
from typing import Any

from models.database.secrets import without_secrets
from splitcart.printing import visible_lines

LONGEST = 20_000
"""Characters of a record; a longer one is cut, since a site decides how long an address or an error is."""


class SafeRecord(logging.LogRecord):
    """A log record whose texts are cleaned before any handler sees them."""

    url = ""

    def __init__(self, *arguments: Any, url: str = "", **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.url = url
        self.sign = "" if self.levelno < logging.WARNING else f"{self.levelname}: "
        """What a plain line begins with: empty below WARNING."""
        if self.exc_info and not self.exc_text:
            self.exc_text = self.cleaned(logging.Formatter().formatException(self.exc_info))  # type: ignore[arg-type]
        if self.stack_info:
            self.stack_info = self.cleaned(self.stack_info)

    def getMessage(self) -> str:
        """The message, cleaned."""
        return self.cleaned(super().getMessage())

    def cleaned(self, text: str) -> str:
        """A text as it may reach a terminal."""
        kept = text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} letters)"
        return visible_lines(without_secrets(kept, self.url))


def install(url: str | None) -> None:
    """Make every logger of this process use such records, and log uncaught exceptions. url: DATABASE_URL."""
    logging.setLogRecordFactory(functools.partial(SafeRecord, url=url or ""))
    sys.excepthook = lambda *fault: logging.getLogger(__name__).critical("Uncaught", exc_info=fault)
