"""Sessions that a browser opened, kept in small files and reused while they are young."""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Cookie = dict[str, Any]
"""As Scrapy's Request(cookies=[...]) takes it: name, value, and domain, path, secure if the site set them."""


class SessionFile:
    """The cookies of one site, opened under one User-Agent. Readable by its owner only: cookies give access.

    `site` names it (host, in dev the sandbox's address too); `load` returns nothing older than `max_age` seconds.
    """

    def __init__(
        self, folder: Path, site: str, user_agent: str, max_age: float, now: Callable[[], float] = time.time
    ) -> None:
        name = hashlib.sha256(f"{site}\0{user_agent}".encode()).hexdigest()[:16]
        self.path = folder / f"{''.join(c if c.isalnum() else '-' for c in site)}-{name}.json"
        self.max_age = max_age
        self.now = now

    def load(self) -> list[Cookie] | None:
        """The cookies; None if there is no session, it is too old, or one of its cookies has expired."""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            opened, cookies = float(kept["opened"]), list(kept["cookies"])
            expiries = [float(cookie.pop("expires", -1) or -1) for cookie in cookies]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return None
        now = self.now()
        young = 0 <= now - opened < self.max_age
        return cookies if young and all(expiry < 0 or expiry > now for expiry in expiries) else None

    def save(self, cookies: list[Cookie]) -> None:
        """Store a session in place of the one before; `expires`: seconds since 1970, -1 for a session cookie.

        Deletes files that are too old to be used: every sandbox has an address of its own.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for old in self.path.parent.glob("*.json"):
            with contextlib.suppress(FileNotFoundError):
                if old.stat().st_mtime < time.time() - self.max_age:
                    old.unlink()
        handle, name = tempfile.mkstemp(dir=self.path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"opened": self.now(), "cookies": cookies}, file)
        Path(name).replace(self.path)

    def forget(self) -> None:
        """Delete the session: the site refused it."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
