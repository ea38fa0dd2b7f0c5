"""The new skus of a run, from which the database itself writes products and listings.

publish_arrivals holds one row a sku, in the order of their barcodes, then of the skus: what is made of them does not
depend on the crawl's. It lasts as long as the connection, and is gone with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from sqlalchemy import Connection, Row, text

from models import bulk
from models.dialect import among, by_hash, exists, is_postgres, listed, looked_up, new_ids, temporary, unguessed
from models.identify import size_fields
from models.run import Run
from models.seen import path_of
from models.tables.products import TEXTS
from splitcart import identity

_TOLD = ("sku", *TEXTS, "normalized_key", "path")
COLUMNS = f"""category_seq INTEGER, listing_id INTEGER, product_id INTEGER, is_new INTEGER, is_compared INTEGER,
    made_gtin TEXT, {", ".join(f"{name} TEXT" for name in _TOLD)}"""
_SIZE = {"size": "TEXT", "amount": "BIGINT", "unit": "TEXT", "pieces": "INTEGER", "approx": "INTEGER"}
_FOUND = {"place": "INTEGER", "product_id": "INTEGER", "is_new": "INTEGER", "gtin": "TEXT"}
_OURS = "n.place BETWEEN :low AND :high"
"""The arrivals of one transaction."""


def collect(connection: Connection, run: Run, *, keyed: bool, many: bool) -> None:
    """Fills publish_arrivals with the skus of publish_seen that have no listing, from place 1 on.

    `keyed`: all of them were staged with their keys. `many`: it is quicker to read all that is staged once.
    """
    told = ", ".join(_TOLD)
    texts = ", ".join(f"s.{name}" for name in (*TEXTS, "normalized_key"))
    columns = f"w.category_seq, w.listing_id, w.sku, {texts}, {path_of('w')} AS path"
    where = "s.run_id = :run AND s.seq = w.seq"
    few = looked_up(connection, "s", "staged_items", f"{texts}, s.category_path", where, outer=False)
    source = f"FROM publish_seen w {f'JOIN staged_items s ON {where}' if many else few} WHERE w.ordinal IS NULL"
    if is_postgres(connection):
        temporary(connection, "publish_arrivals", f"place INTEGER, {COLUMNS}", kept=True)
        connection.execute(text("DROP INDEX IF EXISTS pg_temp.publish_places"))
        # The texts of a store are sorted: not on the disk.
        enough = "pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('32MB')"
        connection.execute(text(f"SELECT set_config('work_mem', '32MB', true) WHERE {enough}"))
        order = 's.gtin COLLATE "C" NULLS LAST, w.sku COLLATE "C"'
        sql = f"""INSERT INTO publish_arrivals
                (place, product_id, is_new, is_compared, category_seq, listing_id, {told})
            SELECT place, nextval('products_id_seq'), 1, 0, category_seq, listing_id, {told} FROM (
                SELECT row_number() OVER (ORDER BY {order}) AS place, {columns} {source}) d
            """  # noqa: S608 fixed text
        with by_hash(connection):
            connection.execute(text(sql), {"run": run.id})
        connection.execute(text("CREATE UNIQUE INDEX publish_places ON publish_arrivals (place)"))
    else:  # A place that is not told is the next one. `claim` gives the ids, for there is no sequence.
        temporary(connection, "publish_arrivals", f"place INTEGER PRIMARY KEY, {COLUMNS}", kept=True)
        sql = f"""INSERT INTO publish_arrivals (is_new, is_compared, category_seq, listing_id, {told})
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
        mine = f"l.company_id = {unguessed(connection, 'company')} AND l.sku = n.sku"
        sql = f"DELETE FROM publish_arrivals AS n WHERE {_OURS} AND {exists(connection, 'listings l', mine)}"  # noqa: S608
        with by_hash(connection, looks_up=True):
            connection.execute(text(sql), part)
        count = text(f"SELECT count(*) FROM publish_arrivals n WHERE {_OURS}")  # noqa: S608 fixed text
        left = int(connection.execute(count, part).scalar_one())
    if not is_postgres(connection):
        first = new_ids(connection, "products", 1)[0]
        sql = f"UPDATE publish_arrivals AS n SET product_id = :first + n.place - :low WHERE {_OURS}"  # noqa: S608
        connection.execute(text(sql), {**part, "first": first})
    return left


class Texts(NamedTuple):
    """The brands, sizes and category paths of all arrivals, each once."""

    brands: list[str]
    sizes: list[str]
    shelves: Sequence[Row[Any]]
    """sku, path, category_key, is_promo of the arrival with the least place in each path."""


def texts(connection: Connection, run: Run) -> Texts:
    """What the arrivals tell of brands, sizes and categories."""
    names = ("brand", "size", "path")
    if is_postgres(connection):
        sets = ", ".join(f"({name})" for name in names)
        sql = f"SELECT brand, size, path, min(place) FROM publish_arrivals GROUP BY GROUPING SETS ({sets})"  # noqa: S608
    else:
        of = (", ".join(name if name == one else f"NULL AS {name}" for name in names) for one in names)
        sql = " UNION ALL ".join(
            f"SELECT {columns}, min(place) FROM publish_arrivals GROUP BY {name}"  # noqa: S608 our own names
            for name, columns in zip(names, of, strict=True)
        )
    with by_hash(connection, groups=True):
        found = connection.execute(text(sql)).all()
    places = [place for _, _, path, place in found if path is not None]
    told, where = "s.category_key, s.is_promo", "s.run_id = :run AND s.seq = n.category_seq"
    sql = f"""SELECT n.sku, n.path, {told} FROM publish_arrivals n
        {looked_up(connection, "s", "staged_items", told, where, outer=False)}
        WHERE {among(connection, "n.place", "places")}"""  # noqa: S608 fixed text
    shelves = connection.execute(text(sql), {"run": run.id, "places": listed(connection, places)}).all()
    brands, sizes = ([row[n] for row in found if row[n] is not None] for n in (0, 1))
    return Texts(brands, sizes, shelves)


def to_compare(connection: Connection, part: Mapping[str, Any]) -> Sequence[Row[Any]]:
    """place, product_id, normalized_key, sku, name, brand, size, gtin of those that must be compared, in order.

    They have a barcode or key of a product that is there, or of another of them; every other is a product of its own.
    """
    gtin = exists(connection, "product_aliases a", "a.kind = 'gtin' AND a.value = n.gtin")
    key = exists(connection, "product_aliases a", "a.kind = 'key' AND a.value = n.normalized_key")
    known = (
        exists(connection, "products p", "p.gtin = n.gtin"),
        exists(connection, "products p", "p.normalized_key = n.normalized_key"),
        f"((SELECT EXISTS (SELECT 1 FROM product_aliases)) AND ({gtin} OR {key}))",  # noqa: S608 fixed text
        *(f"n.{column} IN ({_often(column)})" for column in ("gtin", "normalized_key")),
    )
    sql = f"""SELECT n.place, n.product_id, n.normalized_key, n.sku, n.name, n.brand, n.size, n.gtin
        FROM publish_arrivals n
        WHERE {_OURS} AND ({" OR ".join(known)}) ORDER BY n.place"""  # noqa: S608 fixed text
    with by_hash(connection, looks_up=True):
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


class Names(NamedTuple):
    """What the texts of the arrivals stand for, each as `bulk.given` gives it, for all transactions of a connection."""

    brand: tuple[str, dict[str, str]]
    path: tuple[str, dict[str, str]]
    size: tuple[str, dict[str, str]]

    @classmethod
    def of(
        cls, connection: Connection, brands: Mapping[str, int], paths: Mapping[str, int], sizes: Sequence[str]
    ) -> Self:
        """`brands`: ids by the brands as they are written; `paths`: ids by the paths of categories."""
        packs = [(size, *size_fields(size)) for size in sizes]
        return cls(
            bulk.given(connection, "publish_brands", {"brand": "TEXT", "id": "INTEGER"}, list(brands.items())),
            bulk.given(connection, "publish_paths", {"path": "TEXT", "id": "INTEGER"}, list(paths.items())),
            bulk.given(connection, "publish_sizes", _SIZE, packs),
        )


def write(connection: Connection, part: Mapping[str, Any], names: Names, *, whole: bool) -> None:
    """Inserts the products that are new, and the listings with ordinals from `first` on, in order of their places.

    `part`: as for `claim`, and first. `whole`: none of the places has gone.
    """
    (brand, brands), (size, sizes), (path, paths) = names.brand, names.size, names.path
    sql = f"""INSERT INTO products (id, name, brand_id, gtin, normalized_key, size_amount_e3, size_unit, size_count,
            size_is_approx)
        SELECT n.product_id, n.name, publish_brands.id, CASE WHEN n.is_compared = 1 THEN n.made_gtin ELSE n.gtin END,
            n.normalized_key, publish_sizes.amount, publish_sizes.unit, publish_sizes.pieces, publish_sizes.approx = 1
        FROM publish_arrivals n LEFT JOIN {brand} ON publish_brands.brand = n.brand
        LEFT JOIN {size} ON publish_sizes.size = n.size
        WHERE {_OURS} AND n.is_new = 1"""  # noqa: S608 fixed text
    connection.execute(text(sql), {**part, **brands, **sizes})
    number = "n.place - :low" if whole else "row_number() OVER (ORDER BY n.place) - 1"
    sql = f"""INSERT INTO listings (id, company_id, sku, ordinal, product_id, category_id, {", ".join(TEXTS)})
        SELECT n.listing_id, :company, n.sku, :first + {number}, n.product_id, publish_paths.id,
            {", ".join(f"n.{name}" for name in TEXTS)}
        FROM publish_arrivals n LEFT JOIN {path} ON publish_paths.path = n.path
        WHERE {_OURS}"""  # noqa: S608 fixed text
    connection.execute(text(sql), {**part, **paths})


def categorise(connection: Connection, part: Mapping[str, Any], names: Names, *, compared: bool) -> None:
    """Puts the products of the arrivals into their categories; some may be there, if `compared`."""
    path, paths = names.path
    there = "p.product_id = n.product_id AND p.category_id + 0 = publish_paths.id"  # by the product: it has few
    new = f"AND NOT {exists(connection, 'product_categories p', there)}" if compared else ""
    sql = f"""INSERT INTO product_categories (product_id, category_id)
        SELECT {"DISTINCT" if compared else ""} n.product_id, publish_paths.id
        FROM publish_arrivals n JOIN {path} ON publish_paths.path = n.path
        WHERE {_OURS} {new} ORDER BY n.product_id, publish_paths.id"""  # noqa: S608 fixed text
    connection.execute(text(sql), {**part, **paths})
