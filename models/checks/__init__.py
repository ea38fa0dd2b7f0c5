"""Whether the database keeps its promises."""
