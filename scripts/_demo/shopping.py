"""The demo's shopping list: products that most chains sell, some of them more than once, some by weight."""

from sqlalchemy import Engine, text

LENGTH = 12
AMOUNTS = ("", "2 x ", "", "3 x ", "")
"""Quantities, used in turn."""

_SHARED = """
    SELECT p.name, max(s.price_basis) AS basis, max(s.typical_grams) AS grams, count(DISTINCT l.company_id) AS chains
    FROM price_slots s JOIN products p ON p.id = s.product_id JOIN listings l ON l.id = s.listing_id
    WHERE p.name IN (SELECT name FROM products GROUP BY name HAVING count(*) = 1)
    GROUP BY p.id, p.name ORDER BY count(DISTINCT l.company_id) DESC, max(s.multibuy_quantity) IS NULL, p.id"""


def sample(engine: Engine) -> str:
    """The text of a list of products that have slots, those that most chains sell first."""
    with engine.connect() as connection:
        rows = connection.execute(text(_SHARED)).all()
    plain = [row for row in rows if "|" not in row.name and not row.name.startswith("#")]
    packs = [row.name for row in plain if row.basis == "each"][: LENGTH - 1]
    weighed = [row.name for row in plain if row.basis == "kg"][:1]
    lines = [f"{AMOUNTS[n % len(AMOUNTS)]}{name}" for n, name in enumerate(packs)]
    return "\n".join(["# A list is one item a line", *lines, *(f"800 g {name}" for name in weighed)]) + "\n"
