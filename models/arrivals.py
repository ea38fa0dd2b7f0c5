"""The new skus of a run, from which the database itself writes products and listings.

publish_arrivals holds one row a sku, in the order of their barcodes, then of the skus: what is made of them does not
depend on the crawl's. It lasts as long as the connection, and is gone with it.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from models import bulk
from models.dialect import among, exists, is_postgres, joined, listed, new_ids, temporary
from models.identify import size_fields
from models.run import Run
from models.seen import path_of
from models.tables.products import TEXTS
from splitcart import identity

_TOLD = ("sku", *TEXTS, "normalized_key", "path")
COLUMNS = f"""place INTEGER PRIMARY KEY, category_seq INTEGER, product_id INTEGER, is_new INTEGER, is_compared INTEGER,
    made_gtin TEXT, {", ".join(f"{name} TEXT" for name in _TOLD)}"""
_SIZE = {"size": "TEXT", "amount": "BIGINT", "unit": "TEXT", "pieces": "INTEGER", "approx": "INTEGER"}
_FOUND = {"place": "INTEGER", "product_id": "INTEGER", "is_new": "INTEGER", "gtin": "TEXT"}
_OURS = "n.place BETWEEN :low AND :high"
"""The arrivals of one transaction."""


def collect(connection: Connection, run: Run, *, keyed: bool) -> None:
    """Fills publish_arrivals with the skus of publish_seen that have no listing, from place 1 on.

    `keyed`: all of them were staged with their keys.
    """
    temporary(connection, "publish_arrivals", COLUMNS, kept=True)
    told = ", ".join(_TOLD)
    texts = ", ".join(f"s.{name}" for name in (*TEXTS, "normalized_key"))
    columns = f"w.category_seq, w.sku, {texts}, {path_of('w')} AS path"
    source = """FROM publish_seen w JOIN staged_items s ON s.run_id = :run AND s.seq = w.seq
        WHERE w.listing_id IS NULL"""
    if is_postgres(connection):
        # The texts of a store are sorted: not on the disk.
        enough = "pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('32MB')"
        connection.execute(text(f"SELECT set_config('work_mem', '32MB', true) WHERE {enough}"))
        order = 's.gtin COLLATE "C" NULLS LAST, w.sku COLLATE "C"'
        sql = f"""INSERT INTO publish_arrivals (place, product_id, is_new, is_compared, category_seq, {told})
            SELECT place, nextval('products_id_seq'), 1, 0, category_seq, {told} FROM (
                SELECT row_number() OVER (ORDER BY {order}) AS place, {columns} {source}) d
            """  # noqa: S608 fixed text
    else:  # A place that is not told is the next one. `claim` gives the ids, for there is no sequence.
        sql = f"""INSERT INTO publish_arrivals (is_new, is_compared, category_seq, {told})
            SELECT 1, 0, {columns} {source} ORDER BY s.gtin IS NULL, s.gtin, w.sku"""
    connection.execute(text(sql), {"run": run.id})
    if not keyed:
        _fill_keys(connection)


def _fill_keys(connection: Connection) -> None:
    """Works out the keys of rows that were staged by code before revision 0006."""
    sql = "SELECT place, brand, name, size FROM publish_arrivals WHERE normalized_key IS NULL"
    rows = connection.execute(text(sql)).all()
    keys = [(place, identity.normalized_key(brand, name, size)) for place, brand, name, size in rows]
    keys_of, values = bulk.given(connection, "publish_keys", {"place": "INTEGER", "key": "TEXT"}, keys)
    sql = f"""UPDATE publish_arrivals SET normalized_key = publish_keys.key FROM {keys_of}
        WHERE publish_arrivals.place = publish_keys.place"""  # noqa: S608 our own names
    connection.execute(text(sql), values)


def claim(connection: Connection, part: Mapping[str, Any], *, checked: bool) -> int:
    """How many of this transaction's arrivals have no listing; those that another run has made listings of go.

    `checked`: there are none of those. `part`: run, company, and the places of this transaction, low and high.
    """
    left = int(part["high"]) - int(part["low"]) + 1
    if not checked:
        there = exists(connection, "listings l", "l.company_id = :company AND l.sku = n.sku")
        connection.execute(text(f"DELETE FROM publish_arrivals AS n WHERE {_OURS} AND {there}"), part)  # noqa: S608
        count = text(f"SELECT count(*) FROM publish_arrivals n WHERE {_OURS}")  # noqa: S608 fixed text
        left = int(connection.execute(count, part).scalar_one())
    if not is_postgres(connection):
        first = new_ids(connection, "products", 1)[0]
        sql = f"UPDATE publish_arrivals AS n SET product_id = :first + n.place - :low WHERE {_OURS}"  # noqa: S608
        connection.execute(text(sql), {**part, "first": first})
    return left


def distinct(connection: Connection, part: Mapping[str, Any], column: str) -> list[str]:
    """The texts of a column, each once."""
    sql = f"SELECT DISTINCT n.{column} FROM publish_arrivals n WHERE {_OURS} AND n.{column} IS NOT NULL"  # noqa: S608
    return list(connection.execute(text(sql), part).scalars())


def shelved(connection: Connection, part: Mapping[str, Any], paths: Collection[str]) -> Sequence[Row[Any]]:
    """sku, path, category_key, is_promo of the least sku with each of the paths."""
    code_points = 'COLLATE "C"' if is_postgres(connection) else ""
    sql = f"""SELECT n.sku, n.path, s.category_key, s.is_promo FROM publish_arrivals n
        {joined(connection, "n.category_seq", ["category_key", "is_promo"])}
        WHERE {_OURS} AND (n.path, n.sku) IN (SELECT n.path, min(n.sku {code_points}) FROM publish_arrivals n
            WHERE {_OURS} AND {among(connection, "n.path", "paths")} GROUP BY n.path)"""  # noqa: S608 fixed text
    return connection.execute(text(sql), {**part, "paths": listed(connection, paths)}).all()


def to_compare(connection: Connection, part: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """place, product_id, normalized_key, sku, name, brand, size, gtin of those that must be compared, in order.

    They have a barcode or key of a product that is there, or of another of them; every other is a product of its own.
    """
    known = (
        exists(connection, "products p", "p.gtin = n.gtin"),
        exists(connection, "products p", "p.normalized_key = n.normalized_key"),
        exists(connection, "product_aliases a", "a.kind = 'gtin' AND a.value = n.gtin"),
        exists(connection, "product_aliases a", "a.kind = 'key' AND a.value = n.normalized_key"),
        *(f"n.{column} IN ({_often(column)})" for column in ("gtin", "normalized_key")),
    )
    sql = f"""SELECT n.place, n.product_id, n.normalized_key, n.sku, n.name, n.brand, n.size, n.gtin
        FROM publish_arrivals n
        WHERE {_OURS} AND ({" OR ".join(known)}) ORDER BY n.place"""  # noqa: S608 fixed text
    return connection.execute(text(sql), part).all()


def _often(column: str) -> str:
    return f"""SELECT n.{column} FROM publish_arrivals n WHERE {_OURS} AND n.{column} IS NOT NULL
        GROUP BY n.{column} HAVING count(*) > 1"""  # noqa: S608 fixed text


def place(connection: Connection, found: Sequence[tuple[int, int, int, str | None]]) -> None:
    """Tells of those that were compared: place, product_id, whether it is still to be made (0, 1), and its GTIN."""
    told, values = bulk.given(connection, "publish_found", _FOUND, found)
    sql = f"""UPDATE publish_arrivals SET product_id = publish_found.product_id, is_new = publish_found.is_new,
        is_compared = 1, made_gtin = publish_found.gtin FROM {told}
        WHERE publish_arrivals.place = publish_found.place"""  # noqa: S608
    connection.execute(text(sql), values)


def write(
    connection: Connection,
    part: Mapping[str, Any],
    brands: Mapping[str, int],
    categories: Mapping[str, int],
    first: int,
    count: int,
) -> None:
    """Inserts the products that are new, and `count` listings with ordinals from `first` on, in order of their places.

    `brands`: ids by the brands as they are written; `categories`: by paths.
    """
    _hash_joins(connection, wanted=True)
    brand, told = bulk.given(connection, "publish_brands", {"brand": "TEXT", "id": "INTEGER"}, list(brands.items()))
    packs = [(size, *size_fields(size)) for size in distinct(connection, part, "size")]
    size, told_sizes = bulk.given(connection, "publish_sizes", _SIZE, packs)
    sql = f"""INSERT INTO products (id, name, brand_id, gtin, normalized_key, size_amount_e3, size_unit, size_count,
            size_is_approx)
        SELECT n.product_id, n.name, publish_brands.id, CASE WHEN n.is_compared = 1 THEN n.made_gtin ELSE n.gtin END,
            n.normalized_key, publish_sizes.amount, publish_sizes.unit, publish_sizes.pieces, publish_sizes.approx = 1
        FROM publish_arrivals n LEFT JOIN {brand} ON publish_brands.brand = n.brand
        LEFT JOIN {size} ON publish_sizes.size = n.size
        WHERE {_OURS} AND n.is_new = 1 ORDER BY n.product_id"""  # noqa: S608 fixed text
    connection.execute(text(sql), {**part, **told, **told_sizes})
    shelf, told = bulk.given(connection, "publish_paths", {"path": "TEXT", "id": "INTEGER"}, list(categories.items()))
    whole = count == part["high"] - part["low"] + 1
    number = "n.place - :low" if whole else "row_number() OVER (ORDER BY n.place) - 1"
    sql = f"""INSERT INTO listings (company_id, sku, ordinal, product_id, category_id, {", ".join(TEXTS)})
        SELECT :company, n.sku, :first + {number}, n.product_id, publish_paths.id,
            {", ".join(f"n.{name}" for name in TEXTS)}
        FROM publish_arrivals n LEFT JOIN {shelf} ON publish_paths.path = n.path
        WHERE {_OURS} ORDER BY n.place"""  # noqa: S608 fixed text
    connection.execute(text(sql), {**part, **told, "first": first})
    _hash_joins(connection, wanted=False)


def _hash_joins(connection: Connection, *, wanted: bool) -> None:
    """Of a table without statistics PostgreSQL believes that it has few rows, and would read the lists for each."""
    if is_postgres(connection):
        connection.execute(text(f"SET LOCAL enable_nestloop TO {'off' if wanted else 'DEFAULT'}"))


def categorise(connection: Connection, part: Mapping[str, Any], first: int, *, compared: bool) -> None:
    """Puts the products of listings from ordinal `first` on into their categories; some may be there, if `compared`."""
    there = "p.product_id = l.product_id AND p.category_id = l.category_id"
    new = f"AND NOT {exists(connection, 'product_categories p', there)}" if compared else ""
    sql = f"""INSERT INTO product_categories (product_id, category_id)
        SELECT {"DISTINCT" if compared else ""} l.product_id, l.category_id FROM listings l
        WHERE l.company_id = :company AND l.ordinal >= :first AND l.category_id IS NOT NULL {new}
        ORDER BY l.product_id, l.category_id"""  # noqa: S608 fixed text
    connection.execute(text(sql), {**part, "first": first})
