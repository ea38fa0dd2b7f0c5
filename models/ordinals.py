"""Where each listing of a company stands in the bit strings and columns of its stores."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from models.dialect import among, integers, listed, packed

Ints = npt.NDArray[np.int64]


class Ordinals(NamedTuple):
    """(n,) ids of listings, ascending, and the ordinal of each."""

    ids: Ints
    ordinals: Ints


def of_company(connection: Connection, company_id: int) -> Ordinals:
    """Those of all listings of a company."""
    return _of(connection, [company_id])


def of_stores(connection: Connection, store_ids: Sequence[int]) -> Ordinals:
    """Those of all listings of the stores' companies."""
    mine = f"SELECT DISTINCT company_id FROM stores WHERE {among(connection, 'id', 'stores')}"  # noqa: S608 our names
    return _of(connection, connection.execute(text(mine), {"stores": listed(connection, store_ids)}).scalars().all())


def _of(connection: Connection, company_ids: Sequence[int]) -> Ordinals:
    sql = f"""SELECT {packed(connection, "id", "ordinal")} FROM listings
        WHERE {among(connection, "company_id", "companies")}"""  # noqa: S608 our names
    pairs = integers(connection.execute(text(sql), {"companies": listed(connection, company_ids)}).scalar(), 2)
    return Ordinals(*pairs[np.argsort(pairs[:, 0])].T)


def by_ordinal(connection: Connection, company_id: int) -> Ints:
    """The id of each listing of a company, by its ordinal."""
    ids, ordinals = of_company(connection, company_id)
    found = np.zeros(int(ordinals.max(initial=-1)) + 1, np.int64)
    found[ordinals] = ids
    return found
