"""The plain answers on a building manager's work: the walk to meters, the list that closes a month, the shared bill."""

from datetime import date, datetime
from decimal import Decimal

from .answers import Answer
from .answers_bills import BillCard, UtilityBillItem


class WorkText(Answer, frozen=True):
    """A text of a code, in both languages; `sure` says how sure it is: high, medium, low, or nothing."""

    code: str
    en: str
    ko: str
    sure: str


class VisitSaid(Answer, frozen=True):
    """What somebody found at a meter, and when; `event` is what takes it back."""

    event: int
    at: datetime
    by: str
    found: WorkText
    note: str


class MeterVisit(Answer, frozen=True):
    """One meter to look at, `number` being its place in the walk. `state`: open, waiting (visited, not mended) or done.

    `since` is the local day on which it began, `days` how many since then, as far as it is judged. `usual_a_day` is
    what it counts on a usual day, or (`usual_of`) what its neighbours do where that is all that is known;
    `uncertain_share` is that of all that the building uses of it, by the last month that is over. Null: not known.
    """

    number: int
    state: str
    channel: str
    commodity: str
    name_en: str
    name_ko: str
    place: str
    building: str
    building_en: str
    building_ko: str
    flat: str
    floor: int | None
    kind: str
    kind_en: str
    kind_ko: str
    exception: int
    since: date
    days: int
    evidence: WorkText
    lived_in: WorkText
    probably_empty: bool
    notes: list[WorkText]
    usual_a_day: Decimal | None
    usual_of: str
    unit: str
    uncertain_share: float | None
    won_a_day: int | None
    checks: list[WorkText]
    action_en: str
    action_ko: str
    visited: VisitSaid | None


class EmptyFlat(Answer, frozen=True):
    """A meter at zero that is probably sound, for nobody is there or heats: no visit is needed for it.

    `since` is the month in which it began, which is over: nothing finer is told of where nobody is.
    """

    channel: str
    commodity: str
    name_en: str
    name_ko: str
    place: str
    since: str
    evidence: WorkText


class BuildingVisits(Answer, frozen=True):
    """The walk through a building's meters that do not measure, in order of building, floor and flat.

    `judged_week` is the first day of the newest week that was judged; null: nothing was, so nothing can be told.
    """

    known_at: datetime
    place: str
    name_en: str
    name_ko: str
    judged_week: date | None
    open: int
    waiting: int
    visits: list[MeterVisit]
    done: list[MeterVisit]
    sound: list[EmptyFlat]
    findings: list[WorkText]


class ClosePoint(Answer, frozen=True):
    """One point of a month's list: `state` ok, attention, blocked, or none (there is nothing to look at).

    `rows` are the figures one by one; `mend` is the command that mends it, `page` where it is looked at.
    """

    code: str
    name_en: str
    name_ko: str
    state: str
    figure_en: str
    figure_ko: str
    rows: list["CloseRow"]
    mend: str
    page: str


class CloseRow(Answer, frozen=True):
    """One figure of a point: of a utility, a flat or a meter. `share` is a share of 1, null where it is none."""

    of: str
    state: str
    en: str
    ko: str
    count: int | None
    share: float | None


class CloseSaid(Answer, frozen=True):
    """Who closed a month's list, when, why in spite of what, and which points were open then."""

    event: int
    at: datetime
    by: str
    reason: str
    open_points: list[str]


class BuildingClose(Answer, frozen=True):
    """The list that closes a building's month; `open` counts what is blocked or wants attention.

    Closing the list issues nothing: `quintet bill issue` is an act of its own.
    """

    known_at: datetime
    place: str
    name_en: str
    name_ko: str
    month: str
    over: bool
    state: str
    open: int
    points: list[ClosePoint]
    closed: CloseSaid | None


class FlatStretch(Answer, frozen=True):
    """A part of a flat's month between moves, both days included: its days and its won of the flat's amount."""

    first: date
    last: date
    days: int
    occupied: bool
    won: int


class BuildingFlat(Answer, frozen=True):
    """How one flat's amount came about: its own bill by items, and its part of what is common.

    `reading`: measured, estimated or missing. `weight` is its share of the common won, `exact_won` that before whole
    won, `rest_won` the odd won that it got. Amounts are null while the bill is not shared.
    """

    place: str
    name_en: str
    name_ko: str
    reading: str
    estimated_share: float | None
    use: Decimal | None
    unit: str
    area_m2: float | None
    items: list[UtilityBillItem]
    own_won: int | None
    weight: Decimal | None
    exact_won: Decimal | None
    rest_won: int | None
    common_won: int | None
    total_won: int | None
    occupied: bool | None
    stretches: list[FlatStretch]


class BuildingAllocation(Answer, frozen=True):
    """A complex' bill shared over its flats, and how. `sum_won` adds up the flats and is `total_won` to the won.

    `whole` false: it cannot be shared yet, and `why` says what is missing. `own_won` and `common_won` are its parts.
    `over` false: of a month under way, what it comes to so far; `provisional`: by the last rate card known.
    """

    known_at: datetime
    place: str
    name_en: str
    name_ko: str
    month: str
    commodity: str
    contract: str
    share: str
    method_en: str
    method_ko: str
    over: bool
    provisional: bool
    whole: bool
    why: list[WorkText]
    total_won: int | None
    sum_won: int | None
    own_won: int | None
    common_won: int | None
    rest_won: int | None
    whole_use: Decimal | None
    common_use: Decimal | None
    unit: str
    whole_items: list[UtilityBillItem]
    rules: list[WorkText]
    flats: list[BuildingFlat]
    cards: list[BillCard]
