"""Publishing a run, and rolling it back."""
