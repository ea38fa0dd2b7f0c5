"""A client that knows the chains' wire formats but none of this project's code, to be compared with the truth."""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from decimal import ROUND_HALF_UP, Decimal


class Client:
    """Requests with a cookie jar; every answer is (status, headers, body)."""

    def __init__(self, base):
        self.base = base
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def call(self, path, body=None, cookies=None):
        request = urllib.request.Request(self.base + path, headers={"User-Agent": "naive/1 (test)"})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        for name, value in (cookies or {}).items():
            self.jar.set_cookie(_cookie(name, value))
        try:
            with self.opener.open(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def json(self, path, body=None, cookies=None):
        status, _, text = self.call(path, body, cookies)
        assert status == 200, (path, status, text[:200])
        return json.loads(text)


def _cookie(name, value):
    return http.cookiejar.Cookie(
        0, name, value, None, False, "127.0.0.1", True, False, "/", True, False, None, False, None, None, {}
    )  # fmt: skip


def cents(value):
    return None if value is None else int((Decimal(str(value)) * 100).to_integral_value(ROUND_HALF_UP))


def digit_holds(code):
    weights = [3 if place % 2 else 1 for place in range(len(code))]
    return sum(int(digit) * weight for digit, weight in zip(reversed(code), weights, strict=True)) % 10 == 0


def gtin(code, sku):
    """14 digits, or None where it is no manufacturer's article number."""
    if not code or not code.isdigit() or code == sku or len(code) not in (8, 12, 13, 14) or not digit_holds(code):
        return None
    if len(code) == 8:
        return None if code[0] in "02" else code.rjust(14, "0")
    if len(code) == 14 and code[0] != "0":
        return None
    full = code[-13:].rjust(13, "0")
    return None if re.match(r"02|04|05|2|977|98|99", full) or not int(full) else "0" + full


UNITS = {
    "g": ("kg", 1000), "kg": ("kg", 1), "ml": ("l", 1000), "l": ("l", 1), "m": ("m", 1), "ea": ("ea", 1),
    "each": ("ea", 1), "sheets": ("ea", 1), "pac": ("ea", 1), "kgm": ("kg", 1),
}  # fmt: skip


def per_unit(number, measure):
    """(dollars, unit) of `0.74` and `100G`, `Per Kg`, `250G Punnet`, `1 each`; (None, None) where there is none."""
    found = re.match(r"^\s*(?:per\s+)?([\d.]*)\s*([A-Za-z]+)", str(measure or ""), re.IGNORECASE)
    if number is None or not found:
        return None, None
    unit, many = UNITS[found[2].lower()]
    value = Decimal(str(number)) * many / Decimal(found[1] or 1)
    return float(value.quantize(Decimal("0.0001"), ROUND_HALF_UP)), unit


def printed(text):
    """(dollars, unit) of `$1,234.50/ 100g`, `$40.00 per 1kg`, `$0.62 each`."""
    found = re.match(r"^\$([\d.,]+)\s*(?:/|per)?\s*(.+)$", text or "")
    return per_unit(found[1].replace(",", ""), found[2]) if found else (None, None)


def many_for(text):
    """(quantity, cents) of `Pick any 2 for $7.50 ...`, None without one."""
    found = re.search(r"(\d+) for \$([\d.]+)", text or "")
    return (int(found[1]), cents(found[2])) if found else None


def offers(many, members):
    """The fields of a multibuy (quantity, cents), everyone's or members'."""
    fields = {"multibuy_quantity": None, "multibuy_total_cents": None}
    filled = dict(zip(fields, many or (None, None), strict=True))
    shown = {f"member_{name}": value for name, value in (filled if members else fields).items()}
    return (fields if members else filled) | shown


def differences(seen, truth):
    """Where what the client saw is not the truth, one line each; `seen` is sku -> fields."""
    expected = {row["sku"]: row for row in truth}
    wrong = [f"missed {sku}" for sku in sorted(expected.keys() - seen.keys())]
    wrong += [f"invented {sku}" for sku in sorted(seen.keys() - expected.keys())]
    for sku in sorted(expected.keys() & seen.keys()):
        row = expected[sku]
        for field, value in seen[sku].items():
            right = row["category_paths"] if field == "category_path" else row["acceptable"].get(field, [row[field]])
            if value not in right:
                wrong.append(f"{sku}: {field} {value!r} is not in {right!r}")
    return wrong
