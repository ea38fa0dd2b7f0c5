"""The worker's process side: what starts crawls, waits for them, tells of them, and stops."""
