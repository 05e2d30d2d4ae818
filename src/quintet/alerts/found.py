"""What looking at a dwelling came to: it is so, it is not so, or it cannot be said and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quintet.terms.alert import Figure

NO_METER, SILENT, GAPS, MOVED_IN, COARSE = "no_meter", "silent", "gaps", "moved_in", "coarse"
NO_OUTDOOR, NO_LIKE_DAYS, NO_LIFE, NEVER_USED = "no_outdoor", "no_like_days", "no_life", "never_used"
TOO_EARLY, NO_TIERS, NO_BUDGET, NO_PRICE = "too_early", "no_tiers", "no_budget", "no_price"
ENDING = frozenset({NO_METER, MOVED_IN, TOO_EARLY, NO_TIERS, NO_BUDGET})


@dataclass(frozen=True, slots=True)
class Found:
    """A condition that holds, with its evidence; the fields as of `terms.alert.Alert`."""

    kind: str
    commodity: str
    since_us: int
    from_us: int
    figures: Mapping[str, Figure]
    won: int | None
    won_per: str
    won_reason: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A condition that cannot be judged at present: what stands in the way, with its figures."""

    kind: str
    commodity: str
    why: str
    figures: Mapping[str, Figure] = field(default_factory=dict[str, Figure])

    @property
    def ends(self) -> bool:
        """Whether what stood before stands no more: what it was about is not there, or its month is over."""
        return self.why in ENDING


@dataclass(frozen=True, slots=True)
class Fine:
    """A condition that was looked at and does not hold; `near`: not by far enough to end what stands (hysteresis)."""

    kind: str
    commodity: str
    near: bool = False


Outcome = Found | Unsaid | Fine
