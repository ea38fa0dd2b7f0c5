"""The price slots: built from effective prices, kept up to date by marks, and read for a shopping list."""
