"""Reading types: what a meter's numbers mean and which way they flow."""

from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from .errors import BadInput


class ValueKind(StrEnum):
    """What one reading says (the dataset layout's `value_kind`)."""

    INTERVAL_SUM = "interval_sum"
    AVG_POWER = "avg_power"
    REGISTER_CUMULATIVE = "register_cumulative"
    REGISTER_DAILY_RESET = "register_daily_reset"
    EVENT_SUM = "event_sum"
    INST_FLOW = "inst_flow"


class Role(StrEnum):
    """Which way a channel flows, seen from where it stands (the dataset layout's `role`)."""

    CONSUMPTION = "consumption"
    GENERATION = "generation"
    IMPORT = "import"
    EXPORT = "export"
    NET = "net"
    SITE_IMPORT = "site_import"
    STORAGE = "storage"
    SUBMETER = "submeter"


DEFAULT_CADENCE_MIN = 15
"""Grid of a channel whose cadence nobody stated (events): the quarter hour that AMI meters keep."""


@dataclass(frozen=True, slots=True)
class ReadingType:
    """What a channel's numbers mean.

    `cadence_min` is the grid in minutes and divides a day; `tz` is the meter's own clock; `dials` is the number of
    digits before a register rolls over in `unit`; `multiplier` scales readings to `unit`; `plate_max` is the physical
    maximum as a rate, in `unit` an hour (a rate unit: in that unit itself).
    """

    commodity: str
    unit: str
    value_kind: ValueKind
    role: Role
    cadence_min: int
    tz: str
    dials: int | None = None
    multiplier: str = "1"
    plate_max: str | None = None

    def __post_init__(self) -> None:
        """Refuse a cadence that does not divide the day and a clock that nobody keeps."""
        if not 1 <= self.cadence_min <= 1440 or 1440 % self.cadence_min:
            raise BadInput(f"a cadence of {self.cadence_min} min does not divide a day.", code="bad_cadence")
        clock(self.tz)


def clock(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name; an unknown one is bad input, not a traceback."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(
            f"unknown time zone {name!r}.", code="unknown_tz", remedy="Use an IANA name such as Asia/Seoul."
        ) from error
