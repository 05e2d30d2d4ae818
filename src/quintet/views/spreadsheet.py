"""Text in a CSV that a spreadsheet opens: what it would take for a formula stays text."""

RECKONED = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that spreadsheets reckon (OWASP, CSV injection)."""


def as_text(name: str) -> str:
    """Give a name so that no spreadsheet reckons it: an apostrophe before it, as spreadsheets themselves write text."""
    return f"'{name}" if name.startswith(RECKONED) else name
