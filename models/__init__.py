"""Tables, engine and sessions, the unit of work, queries and migrations."""
