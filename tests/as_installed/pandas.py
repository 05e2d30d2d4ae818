"""Stands in pandas' place for a program that a test starts: only a bench needs pandas, and no city has it installed."""

raise ImportError("pandas is no part of the product")
