"""The list that closes a building's month: what is complete, what wants attention, what blocks; and who closed it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.bills import COMMON, DWELLINGS, HEAD, areas_m2, issued, premise_use
from quintet.access.buildings import Fault, Said, exchanges, faults, judged_until, moves, said_at, unoccupied
from quintet.access.mixing import homes_below
from quintet.access.roles import MONTH_MIN
from quintet.access.sets import Asked
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import from_us, local_day
from quintet.terms.premise_use import PremiseUse

from . import manager_points as points
from .answers_manager import BuildingAllocation, BuildingClose, ClosePoint, CloseSaid
from .bill_allocation import METHODS
from .bills import agreements, reckon_place
from .manager_allocation import building_allocation
from .manager_places import begun_month, own_building

CLOSED = "month_closed"
NOT_SHARED = frozenset({"not_agreed", "no_flats"})
OPEN_STATES = (points.ATTENTION, points.BLOCKED)


def building_close(access: Access, place: str, month: str, tz: ZoneInfo, now_us: int) -> BuildingClose:
    """Give a month's list of a building; raises as `own_building` does, and UsageError for what is no month."""
    name = own_building(access, place)
    first, end, span, over = begun_month(month, tz, now_us)
    found = reckon_place(access, place, first, end)
    with access.asking(place, None, span, MONTH_MIN, each=True, running=True) as asked:
        registry, now = asked.registry, asked.until_us
        rows = {what: premise_use(asked, place, first, over, None, what) for what in (DWELLINGS, COMMON, HEAD)}
        every = [one for one in faults(asked, place) if one.since_us < span.end_us]
        moved = moves(asked, place, span.start_us, span.end_us)
        days = {(one.place, one.at_us): _day_of(asked, one.place, one.at_us, tz) for one in moved if one.at_us <= now}
        empty, _ = unoccupied(asked, place, min(span.end_us - 1, now))
        number = first.year * 100 + first.month
        frozen = issued(asked, place, (number, number))
        areas, stated = areas_m2(registry, place), agreements(registry)
        signed = said_at(asked, place, [CLOSED], span.start_us, span.end_us)
        known, judged, exchanged = (
            asked.known_us,
            judged_until(asked),
            exchanges(asked, place, span.start_us, span.end_us),
        )
    shared = {code: one for code in registry.commodities.rows if (one := stated.at(place, code, span.start_us))}
    total = {code: one for code, one in shared.items() if one.contract in METHODS}
    adjusted = [each for one in frozen for each in one.body["adjustments"]]
    told = points.Month(
        place, month, first, end, local_day(from_us(now), tz), registry.commodities, rows[DWELLINGS],
        rows[COMMON], rows[HEAD], judged, every, _won(every), exchanged, moved, days, empty,
        [home for home in homes_below(registry, place) if home not in areas],
        any(one.share == "area" for one in total.values()), found.rows, len(frozen), len(adjusted),
        sum(each["now_won"] - each["was_won"] for each in adjusted),
    )  # fmt: skip
    made = _points(told, [_allocated(access, place, month, code, tz, now_us) for code in sorted(total)])
    open_ = [one for one in made if one.state in OPEN_STATES]
    return BuildingClose(
        from_us(known).astimezone(tz), place, name.en, name.ko, month, told.over,
        points.worst(one.state for one in made), len(open_), made, _signed(signed, place, tz),
    )  # fmt: skip


def _won(found: list[Fault]) -> int:
    """Add up what is at stake where it is known of single meters; each item counts once."""
    return sum({one.item: one.won for one in found if one.won is not None}.values())


def _day_of(asked: Asked, place: str, at_us: int, tz: ZoneInfo) -> list[PremiseUse]:
    """Give what a dwelling's meters told on the local day of a move: only whether it was measured is told of it."""
    day = local_day(from_us(at_us), tz)
    return premise_use(asked, place, day, day + timedelta(days=1))


def _points(told: points.Month, shared: list[BuildingAllocation | None]) -> list[ClosePoint]:
    """Make the list, in order; of several utilities that are shared the worst stands."""
    sums = [points.allocation(told, one) for one in (shared or [None])]
    worst = max(sums, key=lambda one: points.ORDER.index(one.state))
    return [
        points.over(told), points.readings(told), points.exceptions(told), points.exchanges(told), points.moves(told),
        points.main_meter(told), points.records(told), points.rates(told), worst, points.bills(told),
    ]  # fmt: skip


def _allocated(
    access: Access, place: str, month: str, commodity: str, tz: ZoneInfo, now_us: int
) -> BuildingAllocation | None:
    """Share a utility's bill; None where no flat has a meter of it."""
    try:
        return building_allocation(access, place, month, commodity, None, tz, now_us)
    except NotFound as error:
        if error.code not in NOT_SHARED:
            raise
        return None


def _signed(found: list[Said], place: str, tz: ZoneInfo) -> CloseSaid | None:
    """Give who closed the list last."""
    own = [one for one in found if one.place == place]
    if not own:
        return None
    last = max(own, key=lambda one: one.number)
    return CloseSaid(
        last.number, from_us(last.stated_us).astimezone(tz), last.actor, last.reason, last.detail.split()
    )  # fmt: skip


def checked_close(found: BuildingClose, reason: str) -> str:
    """Give the reason by which a list is closed; raises UsageError where the month or the reason does not allow it."""
    said = " ".join(reason.split())
    if not found.over:
        raise UsageError(
            f"{found.month} is not over.", code="month_not_over", place="month",
            remedy="Close the list when the month is over.",
            said={"month": found.month},
        )  # fmt: skip
    if found.open and not said:
        raise UsageError(
            f"{found.open} points are open.", code="reason_needed_to_close", place="reason",
            remedy="Say why the month is closed in spite of them; it is kept with your name.",
            said={"open": found.open},
        )  # fmt: skip
    return said or "all points are in order"
