"""The thresholds of conditions: a file each, every number with its source and reason; unknown keys are refused."""

from collections.abc import Mapping
from functools import cache

from quintet.terms.catalogue import numbers_of, read_toml

NAMES = {
    "unresting": (
        "history_days", "rule_hours", "sooner_hours", "night_from", "night_until", "past_nights", "like_days",
        "warmer_tenths", "chance_millionths", "known_percent", "quiet_hours", "visible_litres", "slow_hours",
        "idle_percent", "burner_litres", "alike_percent",
    ),
    "dead_meter": (
        "least_days", "like_days", "warmer_tenths", "chance_millionths", "life_percent", "life_days", "cold_tenths",
        "alike_homes", "alike_days",
    ),
    "base_load": (
        "recent_days", "past_days", "needed_days", "rise_watts", "chance_millionths",
        "warmer_tenths", "share_percent", "share_watts", "ends_watts", "ends_millionths", "ends_share_percent",
        "ends_share_watts", "mild_from_tenths", "mild_until_tenths",
    ),
    "no_water": ("hours", "late_hours", "lived_days", "lived_least", "steps_a_day"),
    "pace": ("least_days", "least_won", "budget_least", "budget_most"),
}  # fmt: skip
"""Every file of data, and the numbers that it holds."""


@cache
def limits(name: str) -> Mapping[str, int]:
    """Give the numbers of a file of thresholds; raises BadInput for one that is missing, unknown or without source."""
    return numbers_of(read_toml("quintet.alerts", f"{name}.toml"), NAMES[name], f"{name}.toml")
