"""How far a clock is off, as people write it: 4min, -90s, 2h."""

import re

WRITTEN = re.compile(r"([+-]?\d{1,7})\s*(s|min|h)")
SECONDS = {"s": 1, "min": 60, "h": 3600}


def offset_us_of(text: str) -> int | None:
    """Read an offset, the clock less the true one, in microseconds; None for what is none."""
    match = WRITTEN.fullmatch(text.strip())
    return None if match is None else int(match[1]) * SECONDS[match[2]] * 1_000_000
