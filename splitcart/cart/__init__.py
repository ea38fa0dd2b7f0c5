"""The cheapest split of a shopping list over stores: lists, slots, costs, the search and its proof. No I/O."""
