"""A made-up store of 20,000 listings, and the ceiling: writing the same rows by COPY or executemany alone."""

import random
import re
import sqlite3
import time
from typing import Any

from sqlalchemy import Engine, text

from models.database import bulk
from models.tables import metadata
from splitcart import gtin
from splitcart.identity.matching import normalized_key

STAGED = "staged_items"
LIVE = ("brands", "categories", "products", "listings", "product_categories", "prices", "price_changes")
WORDS = re.findall(
    r"\w+",
    """milk bread tomato crunchy organic chicken thigh fillet yoghurt vanilla bean dark choc bar frozen peas corn rice
    long grain light thick cut smoked free range lean beef mince salted butter sliced tasty cheese apple juice""",
)
SIZES = ("500g", "1kg", "6 x 375mL", "2L", "250 mL", "10 pack", "1.25L", "750g", "100g", "4 x 95g")


def barcode(number: int) -> str | None:
    """A valid GTIN of Australia; none for every tenth product."""
    if number % 10 == 0:
        return None
    stem = f"93{number:010d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(stem)))
    return gtin.normalise(stem + str(-total % 10))


def lettered(number: int) -> str:
    """A word for a number, to tell names apart: `Kiboda`."""
    syllables = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeiou"]
    word = syllables[number % 60]
    while number := number // 60:
        word += syllables[number % 60]
    return word.title()


def rows(count: int, *, first: int = 0, prefix: str = "") -> list[dict[str, Any]]:
    """Product rows as the last pipeline hands them over."""
    dice = random.Random(7)
    made = []
    for number in range(first, first + count):
        brand, size = f"{prefix}{lettered(number % 900)}", dice.choice(SIZES)
        special, price = number % 5 == 0, dice.randrange(50, 5000)
        words = " ".join(word.title() for word in dice.sample(WORDS, 4))
        words += " 97% Fat Free" if number % 12 == 0 else ""
        name = f"{brand} {words} {lettered(number)} {size}"
        made.append(
            {
                "sku": f"{number:06d}",
                "name": name,
                "normalized_key": normalized_key(brand, name, size),
                "brand": brand,
                "gtin": barcode(number),
                "size": size,
                "price_cents": price,
                "was_price_cents": price + 100 if special else None,
                "price_basis": "each",
                "is_on_special": special,
                "unit_price": round(price / 37, 4),
                "unit_of_measure": "kg",
                "offer_kind": "special" if special else None,
                "category_path": (f"Department {number % 20}", f"Aisle {number % 300}"),
                "category_key": str(number % 300),
                "url": f"https://www.shop.example/products/{number}/{brand.lower()}",
                "image_url": f"https://cdn.shop.example/images/medium/{number:06d}.jpg",
            }
        )
    return made


def ceiling(engine: Engine, batch: int) -> float:
    """Seconds to write the rows of staging (in batches) and of the live tables (at once) and nothing else."""
    written = {name: _plain_rows(engine, name) for name in (STAGED, *LIVE)}
    write = _into_postgres if engine.dialect.name == "postgresql" else _into_sqlite
    return write(engine, written, batch)


def _plain_rows(engine: Engine, name: str) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{column.name}"' for column in metadata.tables[name].columns)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {names} FROM {name}").all()
    return [
        tuple(v if v is None or (isinstance(v, str | int) and not isinstance(v, bool)) else _plain(v) for v in row)
        for row in found
    ]


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else str(value)


def _batches(written: dict[str, list[tuple[Any, ...]]], batch: int) -> list[list[tuple[str, list[tuple[Any, ...]]]]]:
    staged = written[STAGED]
    first = [[(STAGED, staged[start : start + batch])] for start in range(0, len(staged), batch)]
    return [*first, [(name, written[name]) for name in LIVE]]


def _into_postgres(engine: Engine, written: dict[str, list[tuple[Any, ...]]], batch: int) -> float:
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA ceiling"))
        for name in written:
            kind = "UNLOGGED" if name == STAGED else ""
            connection.execute(text(f"CREATE {kind} TABLE ceiling.{name} (LIKE public.{name} INCLUDING INDEXES)"))
    began = time.perf_counter()
    for transaction in _batches(written, batch):
        with engine.begin() as connection:
            for name, some in transaction:
                columns = [column.name for column in metadata.tables[name].columns]
                bulk.insert(connection, f"ceiling.{name}", columns, some)
    return time.perf_counter() - began


def _into_sqlite(engine: Engine, written: dict[str, list[tuple[Any, ...]]], batch: int) -> float:
    path = f"{engine.url.database}.ceiling"
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    with engine.connect() as source:
        for name in written:
            sql = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC"
            for (statement,) in source.exec_driver_sql(sql, (name,)):
                connection.execute(_without_checks(statement))
    began = time.perf_counter()
    for transaction in _batches(written, batch):
        connection.execute("BEGIN IMMEDIATE")
        for name, some in transaction:
            marks = ", ".join("?" * len(metadata.tables[name].columns))
            if some:
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", some)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def _without_checks(statement: str) -> str:
    """The statement without checks and foreign keys: the table with its keys and indexes alone."""
    lines = [line for line in statement.splitlines() if " CHECK " not in line and " FOREIGN KEY" not in line]
    lines = [line.rstrip().rstrip(",") if lines[n + 1 : n + 2] == [")"] else line for n, line in enumerate(lines)]
    return "\n".join(lines)
