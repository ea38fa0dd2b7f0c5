"""What each store charges and charged, own or inferred."""
