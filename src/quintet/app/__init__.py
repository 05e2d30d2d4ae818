"""Settings, wiring, the command line and `serve`: mounts the doors and the pages; alone names a concrete engine."""
