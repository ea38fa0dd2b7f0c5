"""Where the stores are."""
