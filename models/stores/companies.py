"""Companies and their rows, by the names that crawls use."""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, update

from models.database.dialect import insert_ignoring
from models.database.retry import retried
from models.tables import companies, listings
from splitcart.timezones import DEFAULT_ZONE


@dataclass(frozen=True, slots=True)
class Target:
    """The store that a crawl reads, and its company."""

    company: str
    """Display name: Woolworths, Coles, ALDI, IGA."""
    slug: str
    """The spider's name, the company's key; its case does not matter."""
    store_code: str
    """The chain's own id of the store."""
    flip_weekday: int = 2
    flip_hour: int = 0
    timezone: str = DEFAULT_ZONE


def ensure_company(connection: Connection, target: Target) -> int:
    """The company's id. Inserts its row at its first run, and keeps its flip equal to the spider's settings."""
    slug = target.slug.lower()
    flip = {"flip_weekday": target.flip_weekday, "flip_hour": target.flip_hour}
    found = connection.execute(select(companies).where(companies.c.slug == slug)).one_or_none()
    if found is None:
        values = {"name": target.company, "slug": slug, **flip}
        connection.execute(insert_ignoring(connection, companies).values(**values))
        return int(connection.execute(select(companies.c.id).where(companies.c.slug == slug)).scalar_one())
    if (found.flip_weekday, found.flip_hour) != (target.flip_weekday, target.flip_hour):
        connection.execute(update(companies).where(companies.c.id == found.id).values(**flip))
    return int(found.id)


def known_skus(engine: Engine, company_id: int) -> frozenset[str]:
    """The skus of the company's listings."""
    query = select(listings.c.sku).where(listings.c.company_id == company_id)

    def work() -> frozenset[str]:
        with engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())

    return retried(engine, work, what="reading known skus")
