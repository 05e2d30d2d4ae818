"""Decoded readings to committed raw, intervals and rollups: the one write path."""
