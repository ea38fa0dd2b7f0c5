"""Access to both databases: engines, the schema's revision, retries, bulk writes and dialects."""
