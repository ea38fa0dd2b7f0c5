"""The price slots: built from effective prices, kept up to date by what was marked, and read for a shopping list."""
