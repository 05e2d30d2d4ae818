"""The limits of the resident's page, as data."""

from collections.abc import Mapping
from functools import cache

from quintet.terms.catalogue import numbers_of, read_toml

NAMES = (
    "usual_days_back", "usual_days_needed", "usual_kept_s", "kept_homes", "warmed_at_once", "looked_at_s",
    "late_intervals", "silent_after_h", "stopped_after_days", "stopped_use_days", "days_back",
)  # fmt: skip


@cache
def home_limits() -> Mapping[str, int]:
    """Give the limits of home.toml."""
    return numbers_of(read_toml("quintet.views", "home.toml"), NAMES, "home.toml")
