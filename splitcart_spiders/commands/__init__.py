"""Project commands: `crawl` with exit codes."""
