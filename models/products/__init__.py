"""Products and listings: barcodes, brands, categories, and which product a listing is."""
