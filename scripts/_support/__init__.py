"""What every script shares: its command line and exit codes, its database, its output."""
