"""URLs of databases as they may be printed: without passwords, tokens and anything that might be one."""

import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

HIDDEN = "***"
_HARMLESS = frozenset(
    {
        "application_name", "client_encoding", "connect_timeout", "dbname", "gssencmode", "host", "hostaddr",
        "keepalives", "port", "sslmode", "target_session_attrs", "timeout", "user",
    }
)  # fmt: skip
"""Options whose values are shown. Every other value is hidden, so that no list of secrets has to be complete."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+]{0,39}")
_HOST = re.compile(r"(?:[\w.-]{0,255}|\[[0-9A-Fa-f:.%]{1,60}\])(?::[0-9]{0,5})?")
_OPTION = re.compile(r"([A-Za-z_]{1,40})=([^=@]*)", re.DOTALL)
_WORD = re.compile(r"[\w.,:/%+\[\]-]{0,255}")
_IN_TEXT = (
    # The user info of any URL.
    (re.compile(r"(://[^\s/@:]{0,100}):[^\s@]{1,300}@"), rf"\1:{HIDDEN}@"),
    # An option of a connection string, of a URL or of a driver's message.
    (
        re.compile(
            r"(\b(?:pg|ssl)?pass(?:word|wd|phrase|file)['\"]?\s{0,3}[=:]\s{0,3})"
            r"(?:'[^']{0,300}'|\"[^\"]{0,300}\"|[^\s&,;)'\"]{1,300})",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


def shown_url(url: str) -> str:
    """The URL to show: scheme, user, host, port, path and harmless options; everything else is ***. Never raises.

    If a URL cannot be parsed with certainty, only its scheme is shown: a misplaced part may belong to a password.
    """
    scheme, found, rest = url.partition("://")
    if not found or not _SCHEME.fullmatch(scheme):
        return HIDDEN
    place, asked, query = rest.partition("?")
    options = [_OPTION.fullmatch(option) for option in query.split("&")] if query else []
    is_file = scheme.lower().startswith("sqlite") and place.startswith("/")
    before, at, after = ("", "", place) if is_file else place.rpartition("@")
    host, slash, path = after.partition("/")
    if not all(options) or not _HOST.fullmatch(host) or not (is_file or _is_word(path)):
        return f"{scheme}://{HIDDEN}"
    shown = "&".join(_shown_option(option[1], option[2]) for option in options if option)
    return f"{scheme}://{_shown_user(before)}{at}{host}{slash}{path}{asked}{shown}"


def without_secrets(text: str, url: str = "") -> str:
    """A text, such as a driver's error, without the secrets of the URL and of every URL that it repeats."""
    for secret in sorted(_secrets(url), key=len, reverse=True):
        # A short one may be part of other words: it is replaced only as a separate word.
        meant = re.escape(secret) if len(secret) > 3 else rf"(?<!\w){re.escape(secret)}(?!\w)"
        text = re.sub(meant, HIDDEN, text)
    for pattern, instead in _IN_TEXT:
        text = pattern.sub(instead, text)
    return text


def _shown_user(before: str) -> str:
    user, colon, _ = before.partition(":")
    return (user if _is_word(user) else HIDDEN) + (f":{HIDDEN}" if colon else "")


def _shown_option(name: str, value: str) -> str:
    return f"{name}={value if name.lower() in _HARMLESS and _is_word(value) else HIDDEN}"


def _is_word(text: str) -> bool:
    """Whether a text is a plain word, not a connection string that a driver would parse."""
    plain = unquote(text)
    return bool(_WORD.fullmatch(plain)) and "://" not in plain


def _secrets(url: str) -> set[str]:
    """Every spelling of every part of the URL that `shown_url` hides."""
    found: set[str] = set()
    for raw in _raw_secrets(url):
        plain = {raw, unquote(raw), unquote_plus(raw)}
        found |= plain | {quote(text, safe="") for text in plain} | {quote_plus(text) for text in plain}
    return found - {"", HIDDEN}


def _raw_secrets(url: str) -> Iterator[str]:
    place, _, query = url.partition("://")[2].partition("?")
    before = place.rpartition("@")[0]
    user, colon, password = before.partition(":")
    yield password if colon or _is_word(user) else user
    for option in query.split("&"):
        name, _, value = option.partition("=")
        if _shown_option(name, value).endswith(f"={HIDDEN}"):
            yield value
