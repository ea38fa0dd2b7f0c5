"""When each company's groups were last merged, and which process merges them now."""

from alembic import op

revision = "0009"
down_revision = "0008"

_TABLE = """CREATE TABLE group_merges (
    company_id INTEGER NOT NULL,
    merged_at {time},
    seen_until {time},
    lease_token TEXT,
    lease_until {time},
    host TEXT,
    pid INTEGER,
    CONSTRAINT pk_group_merges PRIMARY KEY (company_id),
    CONSTRAINT ck_group_merges_lease CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
    CONSTRAINT fk_group_merges_company_id FOREIGN KEY(company_id) REFERENCES companies (id)
){strict}"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_TABLE.format(time="TEXT", strict=" STRICT"))
    else:
        op.execute(_TABLE.format(time="TIMESTAMP WITH TIME ZONE", strict=""))
