"""The worker: its loop, what runs its crawls, its schedule in the database, its events, and how it stops."""
