"""What a utility of a dwelling counted over the days of a bill: handed from who reads it to who bills it."""

from datetime import date
from typing import NamedTuple


class PremiseUse(NamedTuple):
    """One utility of one dwelling from `first` up to, not including, `end`: whole sub-units and channel-minutes.

    `value` is in sub-units of `quantity`, as far as it is known; minutes count expected, arrived and estimated channel
    time. `tenancy_us` is since when whoever lives there lives there (None: nobody is registered). Readings count from
    `start_us` on (None: from the first day's midnight), which a move sets at any hour.
    """

    place: str
    commodity: str
    quantity: str
    first: date
    end: date
    tenancy_us: int | None
    value: int
    expected_min: int
    arrived_min: int
    estimated_min: int
    channels: tuple[str, ...]
    start_us: int | None = None
