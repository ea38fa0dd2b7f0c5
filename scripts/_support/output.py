"""What scripts print. Text from outside is shown as text: it is no markup and moves no cursor."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from splitcart.cart.plan import dollars
from splitcart.printing import cell, visible, visible_lines


def print_lines(*lines: object) -> None:
    """Prints each argument as one line of standard output; control characters are escaped."""
    for line in lines:
        print(visible(line), flush=True)


def print_error(text: object) -> None:
    """Prints a text of one or more lines to standard error."""
    print(visible_lines(str(text)).strip(), file=sys.stderr, flush=True)


def as_json(value: Any, indent: int | None = None) -> str:
    """The value as JSON in ASCII: exact for a parser, harmless on a terminal."""
    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")


def print_json(value: Any, indent: int | None = None) -> None:
    """Prints the value as one JSON document."""
    print(as_json(value, indent), flush=True)


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows as CSV. No text cell is a formula for a spreadsheet; numbers stay as they are."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(visible(value) if isinstance(value, str) else value) for value in row] for row in rows)
    sys.stdout.flush()


def console(*, stderr: bool = False) -> Console:
    """A console as wide as the terminal, else 120 columns."""
    return Console(stderr=stderr, width=None if (sys.stderr if stderr else sys.stdout).isatty() else 120)


def text(value: object, style: str = "") -> Text:
    """The value for rich: no markup, no control character."""
    return Text(visible(value), style)


def price(cents: int | None, basis: str = "each") -> str:
    """`$1.75`, `$4.90 / kg`, or `not sold` without a price."""
    return "not sold" if cents is None else dollars(cents) + (" / kg" if basis == "kg" else "")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[str] = (), title: str = ""
) -> Table:
    """A table of any values; the columns named in `right` are aligned right. A cell may be a `text` with a style."""
    made = Table(title=text(title) if title else None, title_justify="left")
    for name in columns:
        made.add_column(text(name), justify="right" if name in right else "left")
    for row in rows:
        made.add_row(*(value if isinstance(value, Text) else text(value) for value in row))
    return made
