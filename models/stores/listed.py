"""Whether the last complete locator run of a chain lists a store."""

from difflib import SequenceMatcher

from sqlalchemy import Engine, select

from models.errors import StoreUnlisted
from models.tables import companies, crawl_runs, stores
from splitcart.runs.verdict import EVERY_STORE

NEAREST = 3
"""How many store codes the message of StoreUnlisted names."""


def check_listed(engine: Engine, slug: str, store_code: str) -> bool:
    """Whether the chain's last complete locator run lists the store; False if no such run is stored.

    Raises StoreUnlisted, which names the closest codes, if there is such a run and it does not list the store. A listed
    store is open, and the last complete locator run did not miss it.
    """
    company = select(companies.c.id).where(companies.c.slug == slug.lower()).scalar_subquery()
    runs = crawl_runs.c
    located = select(runs.id).where(
        runs.company_id == company, runs.store_code == EVERY_STORE, runs.status == "complete"
    )
    listed = select(stores.c.store_code, stores.c.store_name).where(
        stores.c.company_id == company, stores.c.closed_at.is_(None), stores.c.missing_since.is_(None)
    )
    with engine.connect() as connection:
        if connection.execute(located.limit(1)).first() is None:
            return False
        names = {row.store_code: row.store_name for row in connection.execute(listed)}
    if store_code not in names:
        near = [f"{code} ({names[code]})" for code in closest(store_code, names)]
        raise StoreUnlisted(slug, store_code, near)
    return True


def closest(store_code: str, known: dict[str, str]) -> list[str]:
    """The known store codes most like `store_code`, at most NEAREST; the most alike first, equals sorted."""

    def distance(other: str) -> tuple[float, str]:
        return -SequenceMatcher(None, store_code.casefold(), other.casefold()).ratio(), other

    return sorted(known, key=distance)[:NEAREST]
