"""Quintet: the energy ledger of a city."""

__version__ = "0.1.0"
