"""What each store charges and charged: own, inferred and contested prices."""
