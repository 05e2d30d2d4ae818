"""An alert: what a household is told of by itself, with its evidence; and the table of their kinds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from .catalogue import check_keys, read_toml
from .errors import BadInput

STANDING, DISMISSED, ENDED = "standing", "dismissed", "ended"
OVER, MOVED = "over", "moved"
"""Why an alert ended: it is so no more; another household lives there."""
WELFARE = "no_water"
"""The kind that is looked for only where somebody agreed to it, and told to whom he named."""
ACT, WATCH = "act", "watch"
DAY, MONTH, ONCE = "day", "month", "once"
LISTS = ("truth", "commodities", "weather")
PER = frozenset({DAY, MONTH, ONCE})
Figure = int | float | str
"""One figure of evidence: a number in the unit that its row of the words names, or a local day as 2026-11-21."""


@dataclass(frozen=True, slots=True)
class AlertKind:
    """One kind of alert; the file says what the columns mean."""

    code: str
    order: int
    severity: str
    urgent: bool
    step_min: int
    figure: str
    times: float
    hold_days: int
    truth: tuple[str, ...]
    commodities: tuple[str, ...]
    weather: tuple[str, ...]


@cache
def alert_kinds() -> Mapping[str, AlertKind]:
    """Give the kinds by code, in the order in which a page shows them."""
    needed = {
        "order", "severity", "urgent", "step_min", "figure", "times", "hold_days", "truth", "why", "commodities",
    }  # fmt: skip
    out: list[AlertKind] = []
    for code, row in read_toml("quintet.terms", "alert_kinds.toml")["kind"].items():
        check_keys(row, required=needed, optional={"weather"}, place=f"kind {code}")
        if row["severity"] not in (ACT, WATCH):
            raise BadInput("is act or watch.", code="bad_row", place=f"kind {code}, severity")
        said: dict[str, Any] = {name: value for name, value in row.items() if name not in ("why", *LISTS)}
        out.append(AlertKind(code, **{name: tuple(row.get(name, ())) for name in LISTS}, **said))
    return {one.code: one for one in sorted(out, key=lambda one: one.order)}


@dataclass(frozen=True, slots=True)
class Told:
    """One telling of an alert: when, by which channel (mail, push, webhook, page), and what came of it."""

    at_us: int
    by: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as it stands; moments are microseconds since 1970.

    `since_us`: since when it is so; `from_us`: the first moment of what was read for it, by which rights are asked;
    `tenancy_us`: since when the household lives there whose alert it is. `won` is None where it cannot be said, and
    `won_reason` says why. `confidence`: 1 less the chance that an ordinary time of this dwelling looks like this.
    `changed_us`: when its figures were written down last. `excused`: the figure at which it was called no problem.
    """

    id: str
    place: str
    kind: str
    commodity: str
    since_us: int
    from_us: int
    tenancy_us: int
    raised_us: int
    figures: Mapping[str, Figure]
    won: int | None
    won_per: str
    won_reason: str
    confidence: float
    state: str = STANDING
    ended_us: int | None = None
    end_reason: str = ""
    dismissed_us: int | None = None
    dismissed_by: str = ""
    excused: float | None = None
    changed_us: int = 0
    told: tuple[Told, ...] = field(default=())

    @property
    def figure(self) -> float | None:
        """The figure by which it is told whether it has grown materially; None where it has none."""
        found = self.figures.get(self.row.figure)
        return float(found) if isinstance(found, int | float) else None

    @property
    def row(self) -> AlertKind:
        """Its row of the table of kinds."""
        return alert_kinds()[self.kind]

    @property
    def severity(self) -> str:
        """`act` or `watch`."""
        return self.row.severity

    @property
    def urgent(self) -> bool:
        """Whether it may be told in quiet hours."""
        return self.row.urgent

    @property
    def step_min(self) -> int:
        """How fine the readings are that it rests on."""
        return self.row.step_min
