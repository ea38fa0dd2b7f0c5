"""The connection: engines on both databases, the schema's revision, retries, bulk writes and dialects."""
