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
    return _read(connection, "= :company", {"company": company_id})


def of_stores(connection: Connection, store_ids: Sequence[int]) -> Ordinals:
    """Those of all listings of the stores' companies."""
    mine = f"SELECT company_id FROM stores WHERE {among(connection, 'id', 'stores')}"  # noqa: S608 our names
    return _read(connection, f"IN ({mine})", {"stores": listed(connection, store_ids)})


def _read(connection: Connection, companies: str, values: dict[str, object]) -> Ordinals:
    sql = f"SELECT {packed(connection, 'id', 'ordinal')} FROM listings WHERE company_id {companies}"  # noqa: S608
    pairs = integers(connection.execute(text(sql), values).scalar(), 2)
    return Ordinals(*pairs[np.argsort(pairs[:, 0])].T)
