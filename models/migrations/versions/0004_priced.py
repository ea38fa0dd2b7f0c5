"""`priced`: the lines at which a store showed a price itself. At the others a member does not follow its anchor."""

from alembic import op
from sqlalchemy import Connection, text

revision = "0004"
down_revision = "0003"

_NEW = """CREATE TABLE store_ranges (
    store_id INTEGER NOT NULL,
    ranged BLOB NOT NULL,
    available BLOB NOT NULL,
    as_of TEXT NOT NULL,
    priced BLOB NOT NULL,
    CONSTRAINT pk_store_ranges PRIMARY KEY (store_id),
    CONSTRAINT ck_store_ranges_length CHECK (length(ranged) = length(available) AND length(ranged) = length(priced)),
    CONSTRAINT fk_store_ranges_store_id FOREIGN KEY(store_id) REFERENCES stores (id)
) STRICT"""
_PRICED = """SELECT l.ordinal FROM price_changes c JOIN listings l ON l.id = c.listing_id
    WHERE c.store_id = :store AND c.price_cents IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM price_changes later WHERE later.store_id = c.store_id AND later.listing_id = c.listing_id
        AND later.changed_at > c.changed_at)"""


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        op.execute("ALTER TABLE store_ranges RENAME TO store_ranges_before")
        op.execute(_NEW)
        op.execute(
            "INSERT INTO store_ranges (store_id, ranged, available, as_of, priced)"
            " SELECT store_id, ranged, available, as_of, zeroblob(length(ranged)) FROM store_ranges_before"
        )
        op.execute("DROP TABLE store_ranges_before")
        _fill(connection)
    else:
        op.execute("ALTER TABLE store_ranges ADD COLUMN priced BYTEA")
        _fill(connection)
        op.execute("ALTER TABLE store_ranges ALTER COLUMN priced SET NOT NULL")
        op.execute("ALTER TABLE store_ranges DROP CONSTRAINT ck_store_ranges_length")
        op.execute(
            "ALTER TABLE store_ranges ADD CONSTRAINT ck_store_ranges_length"
            " CHECK (length(ranged) = length(available) AND length(ranged) = length(priced))"
        )
    op.execute("DELETE FROM store_vectors")  # a cache over other lines; the next merge makes it again


def _fill(connection: Connection) -> None:
    """Sets the bit of each line whose history ends with a price."""
    lengths = connection.execute(text("SELECT store_id, length(ranged) FROM store_ranges")).all()
    for store_id, length in lengths:
        bits = bytearray(length)
        for ordinal in connection.execute(text(_PRICED), {"store": store_id}).scalars():
            if ordinal >> 3 < length:
                bits[ordinal >> 3] |= 1 << (ordinal & 7)
        connection.execute(
            text("UPDATE store_ranges SET priced = :bits WHERE store_id = :store"),
            {"bits": bytes(bits), "store": store_id},
        )
