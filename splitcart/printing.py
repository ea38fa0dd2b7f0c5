"""Text from outside made safe to show: no control character reaches a terminal, no cell of a CSV file is a formula."""

import re

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""C0, DEL, C1, marks without a width, line separators, overrides of direction, lone surrogates, tags."""
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""The first characters of a cell that a spreadsheet computes; full-width signs count as well."""


def visible(value: object) -> str:
    """The value as one line of text: every control character is written as its escape, a line break too."""
    return _CONTROL.sub(_escape, str(value))


def visible_lines(text: str) -> str:
    """As `visible`, but line feeds and tabs stay: for texts of several lines, such as a log."""
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))


def cell(value: object) -> object:
    """The value as a cell of a CSV file: text that a spreadsheet would compute gets an apostrophe before it.

    Numbers stay as they are, negative ones too.
    """
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
