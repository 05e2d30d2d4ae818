"""The plain answers: what every question gives, ready to be written as JSON (decimals exact, moments with offset)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What all answers are: immutable, and named by their class in the published description."""


class Place(Answer, frozen=True):
    """One place of the tree city > district > complex > building > premise."""

    place: str
    parent: str | None
    level: str
    name_en: str
    name_ko: str
    floor_area_m2: float | None


class Places(Answer, frozen=True):
    """A page of places in order of id; `next_cursor` is null on the last page."""

    places: list[Place]
    next_cursor: str | None


class Meter(Answer, frozen=True):
    """One channel of a meter: what its numbers mean, where it stands, and as which flow it counts (null: as none).

    `unit` is that of its readings, `display_unit` that in which its intervals are shown.
    """

    channel: str
    commodity: str
    unit: str
    display_unit: str
    value_kind: str
    role: str
    cadence_min: int
    place: str
    flow: str | None


class Meters(Answer, frozen=True):
    """A page of channels in order of name; `next_cursor` is null on the last page."""

    meters: list[Meter]
    next_cursor: str | None


class Interval(Answer, frozen=True):
    """One period of a series. `value` is null where nothing is known: missing is not zero.

    `quality` is the most doubtful one in the period, `coverage` the share of expected intervals that arrived (null
    where none is expected, as after now), `estimated_share` the share of the known ones that is estimated.
    """

    start: datetime
    value: Decimal | None
    unit: str
    quality: str | None
    coverage: float | None
    estimated_share: float | None


class Intervals(Answer, frozen=True):
    """One channel's series over [from, to).

    `downsampled`: only some of the periods are listed, among them in each stretch the smallest, the largest and a
    missing one.
    """

    channel: str
    commodity: str
    unit: str
    resolution: str
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    known_at: datetime
    downsampled: bool
    rows: list[Interval]


class BalanceRow(Answer, frozen=True):
    """Supply against use of one carrier in one period; null where an amount is not known.

    What is not metered but follows from the rest is named in `derived`, and `closure_error` is then null, never 0.
    `least_known` is the known share of the term that is known least, and `reason` why a residual is not told.
    Where intervals are asked for: `low` and `high` of each flow at the level `nominal`, `interval_reason` why one has
    none, and `interval_to` until when they speak.
    """

    start: datetime
    place: str
    commodity: str
    unit: str
    import_: Decimal | None = msgspec.field(name="import")
    local_generation: Decimal | None
    conversion_in: Decimal | None
    conversion_out: Decimal | None
    storage_discharge: Decimal | None
    storage_charge: Decimal | None
    export: Decimal | None
    consumption: Decimal | None
    known_loss: Decimal | None
    closure_error: Decimal | None
    derived: list[str]
    coverage: float | None
    estimated_share: float | None
    least_known: float | None = None
    reason: str | None = None
    low: dict[str, Decimal] | msgspec.UnsetType = msgspec.UNSET
    high: dict[str, Decimal] | msgspec.UnsetType = msgspec.UNSET
    nominal: float | msgspec.UnsetType = msgspec.UNSET
    interval_reason: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    interval_to: datetime | msgspec.UnsetType = msgspec.UNSET


class Balances(Answer, frozen=True):
    """Balance rows, the moment they are known at and the rules behind them."""

    known_at: datetime
    rule_set: str
    rows: list[BalanceRow]


class BalanceTree(Answer, frozen=True):
    """Balance rows of a place and those below it; `next_cursor` leads to those of further places (null: none are)."""

    known_at: datetime
    rule_set: str
    rows: list[BalanceRow]
    next_cursor: str | None


class CertainTotal(Answer, frozen=True):
    """One metered flow's total with its interval: what the place truly came to lies from `low` to `high`, at the level.

    `total` is what the balance shows: measured and estimated; `best` the middle of what it may be; both null where
    nothing is known. `measured` is what wholly measured days gave, `meters_open` how many of the `meters` were not
    measured all the time. Bounds are null where `reason` says why. They speak of the time from `interval_from` to
    `interval_to`: what of the period is not over yet, or was heard of no meter, stands in them as it is known.
    """

    commodity: str
    flow: str
    unit: str
    total: Decimal | None
    low: Decimal | None
    best: Decimal | None
    high: Decimal | None
    measured: Decimal
    meters: int
    meters_open: int
    coverage: float | None
    estimated_share: float | None
    reason: str | None
    interval_from: datetime | None = None
    interval_to: datetime | None = None


class Certainty(Answer, frozen=True):
    """A place's flows over whole days, each with its interval at a nominal level (0.9: nine times of ten)."""

    place: str
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    level: float
    known_at: datetime
    rule_set: str
    rows: list[CertainTotal]


class SelfSufficiency(Answer, frozen=True):
    """One definition's answer: 1 means 100 %; null with the reason where it cannot be said.

    `low` to `interval_to` stand where intervals are asked for.
    """

    id: str
    name_en: str
    name_ko: str
    value: Decimal | None
    reason: str | None
    numerator: Decimal | None
    denominator: Decimal | None
    unit: str
    interval: str
    matched: int
    intervals: int
    coverage: float | None
    estimated_share: float | None
    derived: list[str]
    explanation_en: str
    explanation_ko: str
    assumed: list[str] = []
    grade: int | None = None
    low: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    high: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    nominal: float | msgspec.UnsetType = msgspec.UNSET
    interval_reason: str | msgspec.UnsetType | None = msgspec.UNSET
    interval_to: datetime | msgspec.UnsetType = msgspec.UNSET


class CarrierDay(Answer, frozen=True):
    """One carrier's day: the balance of the whole stretch and of each hour; supply and use are null where a term is."""

    commodity: str
    name_en: str
    name_ko: str
    unit: str
    supply: Decimal | None
    use: Decimal | None
    total: BalanceRow
    hours: list[BalanceRow]


class CityDay(Answer, frozen=True):
    """A city's local day, as far as it has come: `until` is where the rows end, `as_of` the end of the last reading.

    `day` is null, and all that follows from it empty, while the city has no readings. `stale`: it is today and two
    quarter hours are overdue.
    """

    place: str
    name_en: str
    name_ko: str
    timezone: str
    simulated: bool
    rule_set: str
    known_at: datetime
    day: date | None
    is_today: bool
    start: datetime | None = msgspec.field(name="from")
    end: datetime | None = msgspec.field(name="to")
    until: datetime | None
    as_of: datetime | None
    stale: bool
    coverage: float | None
    self_sufficiency: list[SelfSufficiency]
    carriers: list[CarrierDay]


class Utility(Answer, frozen=True):
    """One meter of a dwelling over a day, by its own interval; `total` sums what is known (null: nothing is)."""

    channel: str
    commodity: str
    name_en: str
    name_ko: str
    flow: str | None
    unit: str
    resolution: str
    total: Decimal | None
    coverage: float | None
    estimated_share: float | None
    rows: list[Interval]


class DwellingDay(Answer, frozen=True):
    """A dwelling's local day: one entry a meter, in the order of the table of commodities."""

    place: str
    name_en: str
    name_ko: str
    floor_area_m2: float | None
    known_at: datetime
    day: date | None
    start: datetime | None = msgspec.field(name="from")
    end: datetime | None = msgspec.field(name="to")
    as_of: datetime | None
    utilities: list[Utility]


class ExceptionItem(Answer, frozen=True):
    """One item of the queue of exceptions: what broke, where, since when, and what to do.

    `won` is what is at stake, by one average price a commodity: an approximation, `unpriced` names carriers without
    one. `score` ranks: won, doubled for each so many days of age. `recurrences` counts how often it came back.
    `reason` and `actor` belong to the last step; the run's own have no actor. `also` names kinds that are told inside
    of this item: the same cause shows as them too.
    """

    id: int
    kind: str
    name_en: str
    name_ko: str
    state: str
    place: str
    cause: str
    since: datetime
    opened: datetime
    age_days: int
    recurrences: int
    channels: int
    won: int
    score: int
    unpriced: list[str]
    action_en: str
    action_ko: str
    reason: str
    actor: str
    also: list[str]


class Exceptions(Answer, frozen=True):
    """The queue, worst first: `total` items in all, with what is at stake in them together; perhaps not all listed."""

    known_at: datetime
    total: int
    won: int
    exceptions: list[ExceptionItem]


class Evidence(Answer, frozen=True):
    """One finding behind an item: of which channel, by which rule, over which span, with its figures."""

    channel: str
    rule: str
    verdict: str
    start: datetime
    end: datetime
    figures: dict[str, Any]


class Finding(Answer, frozen=True):
    """What a rule or a run found of a channel's values from `from` to `to`, with the figures that it used.

    `by` is `commit` (found as readings came in) or `run` (over the city's days, with its verdict); `batch` stated it,
    at `stated_at`. Where the rule `marks`, the measured values of that span are `suspect` unless a person decided.
    `severity` is that of the rule as it is in force now; it is empty for what no rule of the table says.
    """

    channel: str
    rule: str
    name_en: str
    name_ko: str
    severity: str
    marks: bool
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    verdict: str
    figures: dict[str, Any]
    by: str
    batch: int
    stated_at: datetime


class Findings(Answer, frozen=True):
    """A page of what was found, oldest first, of `total` in all; `next_cursor` is null on the last page."""

    known_at: datetime
    total: int
    next_cursor: str | None
    findings: list[Finding]


class ExceptionStep(Answer, frozen=True):
    """What became of an item at a moment, why, and by whom (empty: by the evidence)."""

    at: datetime
    state: str
    reason: str
    actor: str
    recurrences: int


class ExceptionDetail(Answer, frozen=True):
    """One item with all its channels, the amounts in question by carrier, its largest findings, and its history."""

    item: ExceptionItem
    channels: list[str]
    amounts: dict[str, str]
    evidence: list[Evidence]
    history: list[ExceptionStep]
