"""What the scripts about lists, slots and plans share."""
