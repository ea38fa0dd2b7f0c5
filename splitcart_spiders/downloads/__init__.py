"""Downloads: verified connections, fingerprints, and breaking off."""
