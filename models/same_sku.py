"""What a SKU teaches when its text or its GTIN changes and it is the same product all the same."""

from datetime import datetime

from sqlalchemy import Connection

from models.dialect import insert_ignoring
from models.learning import adopt_gtin
from models.run import Run
from models.tables import product_aliases
from splitcart.identity import Listing


def taught(
    connection: Connection,
    run: Run,
    product_id: int,
    sku: str,
    before: Listing | None,
    after: Listing | None,
    learned: frozenset[tuple[str, str]],
    now: datetime,
) -> None:
    """Keeps the keys and GTINs under which the product was and is known. Without texts: that the SKU has left it."""
    told = {"company_id": run.company_id, "sku": sku, "crawl_run_id": run.id, "created_at": now}
    if before is None or after is None:
        row = {"product_id": product_id, "kind": "product", "value": f"{run.company_id}:{sku}", "reason": "sku_left"}
        connection.execute(insert_ignoring(connection, product_aliases).values(**row, **told))
        return
    if after.gtin and before.gtin is None:
        adopt_gtin(connection, product_id, after.gtin)
    for kind, value in sorted(learned):
        if kind in ("key", "gtin"):
            row = {"product_id": product_id, "kind": kind, "value": value, "reason": "same_sku"}
            connection.execute(insert_ignoring(connection, product_aliases).values(**row, **told))
