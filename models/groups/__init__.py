"""Groups in the database: read, merged, and their membership changed."""
