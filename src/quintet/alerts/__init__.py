"""Alerts: what a household should know, with its evidence, its won and one action; and telling it to people."""
