"""The plain answers of the ledger: self-sufficiency with its explanation, greenhouse gases with what they rest on."""

from datetime import datetime
from decimal import Decimal

import msgspec

from .answers import Answer, SelfSufficiency


class BoundTo(Answer, frozen=True):
    """The definition that the city is bound to, since when, by whom and why; `value` is its answer here.

    `coverage`, `estimated_share`, `matched` of `intervals` and `reason` are those of that answer.
    """

    definition: str
    since: datetime | None
    by: str
    why: str
    value: Decimal | None
    coverage: float | None = None
    estimated_share: float | None = None
    matched: int | None = None
    intervals: int | None = None
    reason: str | None = None


class SelfSufficiencies(Answer, frozen=True):
    """Every definition of self-sufficiency for one place and span, matched at `interval`; the bound one is named."""

    known_at: datetime
    rule_set: str
    place: str
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    interval: str
    pinned: BoundTo | None
    definitions: list[SelfSufficiency]


class ExplainedStep(Answer, frozen=True):
    """One changed assumption between two definitions: `by_assumption` + `by_intervals` is after - before, exactly.

    The exact fractions stand as text; the decimals are rounded to twelve places. Both ends say how much was heard and
    how many intervals matched.
    """

    step: str
    before: str
    after: str
    assumption: str
    words_en: str
    words_ko: str
    before_name_en: str
    before_name_ko: str
    after_name_en: str
    after_name_ko: str
    value_before: Decimal | None
    value_after: Decimal | None
    by_assumption: Decimal | None
    by_intervals: Decimal | None
    difference: Decimal | None
    exact: dict[str, str] | None
    reason: str | None
    coverage_before: float | None = None
    estimated_share_before: float | None = None
    matched_before: int | None = None
    intervals_before: int | None = None
    coverage_after: float | None = None
    estimated_share_after: float | None = None
    matched_after: int | None = None
    intervals_after: int | None = None


class Explanation(Answer, frozen=True):
    """Why the definitions differ here: one step an assumption, from one definition to the next."""

    known_at: datetime
    rule_set: str
    place: str
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    interval: str
    pinned: BoundTo | None
    steps: list[ExplainedStep]


class FactorSetName(Answer, frozen=True):
    """A factor set: its name and the digest of all that it holds."""

    name: str
    digest: str


class EmissionRow(Answer, frozen=True):
    """What one source emitted in one period, location-based; without a number `notation` or `reason` says why."""

    start: datetime
    place: str
    source_id: str
    scope: int
    commodity: str
    amount: Decimal | None
    unit: str
    kg_co2e: Decimal | None
    gases_kg: dict[str, Decimal]
    factor: str | None
    source: str | None
    published_on: str | None
    certainty: str | None
    basis: str | None
    gwp: str | None
    notation: str | None
    reason: str | None
    derived: bool
    coverage: float | None
    estimated_share: float | None
    low: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    high: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    nominal: float | msgspec.UnsetType = msgspec.UNSET
    interval_reason: str | msgspec.UnsetType | None = msgspec.UNSET
    interval_to: datetime | msgspec.UnsetType = msgspec.UNSET


class MarketRow(Answer, frozen=True):
    """What one source of scope 2 emitted in one period, market-based: `covered` by contracts, the rest by `rest_by`."""

    start: datetime
    place: str
    commodity: str
    amount: Decimal | None
    unit: str
    covered: Decimal
    contracts: list[str]
    rest_by: str
    factor: str | None
    kg_co2e: Decimal | None
    reason: str | None


class ScopeSum(Answer, frozen=True):
    """One scope's sum. `market_kg_co2e` is for scope 2.

    Of its sources `missing` have an amount that is not known, or not in full, and `not_estimated` no factor. `coverage`
    is that of the source that was heard least, `estimated_share` that of the one that was estimated most. Of its
    `rows`, `without_number` have none, for whatever reason; where none has a number the sum is null.
    """

    scope: int
    kg_co2e: Decimal | None
    market_kg_co2e: Decimal | None
    rows: int
    missing: int
    not_estimated: int
    coverage: float | None = None
    estimated_share: float | None = None
    without_number: int = 0
    low: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    high: Decimal | msgspec.UnsetType | None = msgspec.UNSET
    nominal: float | msgspec.UnsetType = msgspec.UNSET
    interval_reason: str | msgspec.UnsetType | None = msgspec.UNSET
    interval_to: datetime | msgspec.UnsetType = msgspec.UNSET


class SumTrust(Answer, frozen=True):
    """How far a sum over scopes can be trusted: as of ScopeSum, over all of them."""

    coverage: float | None
    estimated_share: float | None
    missing: int
    not_estimated: int


class PinnedFigure(Answer, frozen=True):
    """What was published for the same place and span: its figures as they were, and those by the set asked for."""

    name: str
    published: datetime
    factor_set: FactorSetName
    scopes: list[ScopeSum]


class Inventory(Answer, frozen=True):
    """Greenhouse gases of a place: direct (scope 1) and indirect (scope 2 and 3) apart, by one factor set.

    A sum is null where nothing of it has a number. `market` holds scope 2 market-based, never added to the
    location-based rows. `beside` is what was published.
    """

    known_at: datetime
    rule_set: str
    factor_set: FactorSetName
    gwp: str
    purpose: str
    count_at: str
    direct_kg_co2e: Decimal | None
    indirect_kg_co2e: Decimal | None
    direct: SumTrust
    indirect: SumTrust
    scopes: list[ScopeSum]
    rows: list[EmissionRow]
    market: list[MarketRow]
    beside: PinnedFigure | None


class GpcCell(Answer, frozen=True):
    """One sub-sector's scope: an amount, or a notation key (NO, NE, IE, C) and why; `quality` is H, M or L.

    `coverage` is that of the source in it that was heard least, `estimated_share` that of the one estimated most.
    """

    sub_sector: str
    name_en: str
    name_ko: str
    scope: int
    report: str
    kg_co2e: Decimal | None
    notation: str | None
    quality: str | None
    reason: str | None
    coverage: float | None = None
    estimated_share: float | None = None


class GpcTable(Answer, frozen=True):
    """The inventory as the table of the GPC, with the sums of the BASIC and BASIC+ reports."""

    known_at: datetime
    rule_set: str
    factor_set: FactorSetName
    place: str
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    source: str
    basic_kg_co2e: Decimal | None
    basic_plus_kg_co2e: Decimal | None
    basic: SumTrust
    basic_plus: SumTrust
    cells: list[GpcCell]


class Cause(Answer, frozen=True):
    """What one cause did to each sum since the publication, in kg; `rows` names the data rows that changed."""

    cause: str
    words_en: str
    words_ko: str
    rows: list[str]
    kg_co2e: dict[str, Decimal]


class Compared(Answer, frozen=True):
    """A published figure beside the same one now, and their difference by cause; the causes add up exactly.

    `exact` holds every number as an exact fraction.
    """

    known_at: datetime
    name: str
    place: str
    start: datetime = msgspec.field(name="from")
    end: datetime = msgspec.field(name="to")
    resolution: str
    published: datetime
    published_known_at: datetime
    by: str
    why: str
    factor_set: FactorSetName
    revised_factor_set: FactorSetName
    published_kg_co2e: dict[str, Decimal]
    revised_kg_co2e: dict[str, Decimal]
    difference_kg_co2e: dict[str, Decimal]
    causes: list[Cause]
    exact: dict[str, dict[str, str]]
