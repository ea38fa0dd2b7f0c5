"""What the chains sell: goods, lines, and what they cost."""
