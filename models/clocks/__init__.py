"""Wrong clocks: noticed before they date a run, and their times healed afterwards."""
