"""The ordinal of each listing: its place in the bit strings and columns of its company's stores."""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from models.tables import listings, stores

Ints = npt.NDArray[np.int64]


class Ordinals(NamedTuple):
    """(n,) ids of listings, ascending, and the ordinal of each."""

    ids: Ints
    ordinals: Ints


def of_company(connection: Connection, company_id: int) -> Ordinals:
    """The ordinals of all listings of a company."""
    return _of(connection, [company_id])


def of_stores(connection: Connection, store_ids: Sequence[int]) -> Ordinals:
    """The ordinals of all listings of the stores' companies."""
    theirs = select(stores.c.company_id).where(stores.c.id.in_(store_ids)).distinct()
    return _of(connection, connection.execute(theirs).scalars().all())


def _of(connection: Connection, company_ids: Sequence[int]) -> Ordinals:
    wanted = select(listings.c.id, listings.c.ordinal).where(listings.c.company_id.in_(company_ids))
    pairs = np.fromiter(chain.from_iterable(connection.execute(wanted)), np.int64).reshape(-1, 2)
    return Ordinals(*pairs[np.argsort(pairs[:, 0])].T)


def by_ordinal(connection: Connection, company_id: int) -> Ints:
    """The id of each listing of a company, by its ordinal."""
    ids, ordinals = of_company(connection, company_id)
    found = np.zeros(int(ordinals.max(initial=-1)) + 1, np.int64)
    found[ordinals] = ids
    return found
