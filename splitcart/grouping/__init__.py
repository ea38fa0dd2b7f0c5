"""Which stores of a company charge the same: the pure rules that compare, merge and eject them."""
