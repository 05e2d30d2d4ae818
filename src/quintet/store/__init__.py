"""Append, read, latest, roll up, as known at: the hot tables, the lake and generic dated records."""
