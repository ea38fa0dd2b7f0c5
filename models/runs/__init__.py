"""The life of a crawl run: opened under a lease, kept alive, measured, ended, pruned."""
