"""Checks, before any work, that a PostgreSQL server, its database and our role are suitable; errors name the remedy."""

from sqlalchemy import Engine, text

from models.database.secrets import shown_url
from models.errors import DatabaseRefused
from models.tables import metadata

_SERVER = """
SELECT current_setting('server_encoding'), current_database(), current_user,
       has_database_privilege(current_database(), 'TEMPORARY')
"""
"""The server's encoding, the names of database and role, and whether the role may make temporary tables."""

_READ_ONLY = "SELECT current_setting('transaction_read_only')::boolean, current_user"
"""Whether transactions are read-only: on a standby, or by a setting of the role."""

_LACKING = """
SELECT name FROM unnest(CAST(:tables AS text[])) AS name
WHERE CASE WHEN to_regclass(name) IS NULL THEN false
      ELSE NOT (has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT')
                AND has_table_privilege(name, 'UPDATE') AND has_table_privilege(name, 'DELETE')) END
"""
"""Which of our tables the role may not write. CASE, because asking for a privilege on a missing table is an error."""

_NUMBERLESS = """
SELECT name FROM unnest(CAST(:sequences AS text[])) AS name
WHERE CASE WHEN to_regclass(name) IS NULL THEN false ELSE NOT has_sequence_privilege(name, 'USAGE') END
"""
"""Which of the sequences that number our rows the role may not use."""


def shown(engine: Engine) -> str:
    """The engine's URL as it may be printed."""
    return shown_url(engine.url.render_as_string(hide_password=False))


def check_server(engine: Engine) -> None:
    """Raises DatabaseRefused for a PostgreSQL database that is not UTF-8, or a role without temporary tables."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        encoding, name, role, may = connection.execute(text(_SERVER)).one()
    if encoding != "UTF8":
        raise DatabaseRefused(
            f"the database {name} is encoded in {encoding}, which cannot keep every name: make one with "
            f"`createdb -T template0 -E UTF8 NAME`, and name it in DATABASE_URL"
        )
    if not may:
        raise DatabaseRefused(
            f"the role {role} may make no temporary tables in {name}, which publishing needs: as its owner run "
            f'`GRANT TEMPORARY ON DATABASE "{name}" TO "{role}"`'
        )


def check_may_write(engine: Engine) -> None:
    """Raises DatabaseRefused for a role that cannot write all tables."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        is_read_only, role = connection.execute(text(_READ_ONLY)).one()
        tables = sorted(metadata.tables)
        sequences = [f"{name}_id_seq" for name in tables]
        lacking = [
            *connection.execute(text(_LACKING), {"tables": tables}).scalars(),
            *connection.execute(text(_NUMBERLESS), {"sequences": sequences}).scalars(),
        ]
    if is_read_only:
        raise DatabaseRefused(f"{shown(engine)} is read-only for {role}: name the primary server in DATABASE_URL")
    if lacking:
        grants = "; ".join(f'GRANT ALL ON ALL {what} IN SCHEMA public TO "{role}"' for what in ("TABLES", "SEQUENCES"))
        named = f"the role {role} may not write {', '.join(lacking[:3])}"
        raise DatabaseRefused(f"{named}: as the owner run `{grants}`")
