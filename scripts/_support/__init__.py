"""What all scripts share: command line and exit codes, database, output."""
