"""The thresholds of the derivation: data with source and reason, unknown keys refused."""

from dataclasses import dataclass
from functools import cache

from quintet.terms.catalogue import numbers_of, read_toml


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of `data/derive.toml`.

    `measured_cadences`: longest register span that counts as measured; `excursion_readings`: most readings in a row
    that may leave a register's path and come back; `rollover_from_percent`, `rollover_share_percent`: share of the
    dials that a rollover starts above and may add; `early_reset_pace`: times the day's mean pace that a daytime reset
    may show; `rollovers_a_day`, `rollbacks_a_day`: how many within 24 hours a register is not trusted from;
    `fewest_turn_hours`: how long a register takes at least to count through all its dials.
    """

    measured_cadences: int
    excursion_readings: int
    long_excursion_readings: int
    step_share_percent: int
    step_times: int
    rollover_from_percent: int
    rollover_share_percent: int
    early_reset_pace: int
    rollovers_a_day: int
    rollbacks_a_day: int
    fewest_turn_hours: int


@cache
def limits() -> Limits:
    """Give the shipped thresholds (`data/derive.toml`)."""
    return Limits(**numbers_of(read_toml("quintet.pipeline", "derive.toml"), Limits.__slots__, "derive.toml"))
