"""A household's page and its bills are one: before and after a move at any hour, wherever in the month it lies."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from quintet.access import EVERYTHING, Access, Scope
from quintet.access.roles import roles
from quintet.access.scope import Grant
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests_bills import BillIssue
from quintet.registry import move_in, move_out
from quintet.store.records import FOREVER
from quintet.terms.period import day_start, to_us
from quintet.terms.tables import QUARANTINE, READINGS
from quintet.views import Questions
from quintet.views.answers_home import BillLine
from quintet.views.bills import dwelling_bills
from quintet.views.questions_bills import BillQuestions

from .billed_city import DAILY, SEOUL, UNITS, Clock, made, meter, send

HOME = "c1/101/0101"
OCTOBER = "2025-10"
FIRST = date(2025, 9, 20)
Said = dict[str, tuple[date, date, int | None]]


def at(day: int, hour: int = 0, month: int = 10) -> datetime:
    """Give a moment on Seoul's clock."""
    return datetime(2025, month, day, hour, tzinfo=SEOUL)


class Town:
    """One flat with five utilities, read by the hour or by the day, looked at whenever the test says."""

    def __init__(self, folder: Path, cadence_min: int, now: datetime) -> None:
        self.clock = Clock(now.date())
        self.clock.us = to_us(now)
        hours_over = (now - day_start(FIRST, SEOUL)) // timedelta(hours=1)
        names = {f"0101-{commodity}" for commodity in UNITS}
        if cadence_min == 1440:
            self.city = made(folder, self.clock)
            send(self.city, {f"0101-{code}": DAILY[code] for code in UNITS}, FIRST, hours_over // 24)
            return
        self.city = made(folder, self.clock, left_out=tuple(names))
        by_the_hour(self.city, *UNITS)
        start = day_start(FIRST, SEOUL)
        # no two hours alike: an hour at the wrong household shows
        send_hours(self.city, (
            (code, start + timedelta(hours=hour), round(DAILY[code] * (20 + hour % 37) / 900, 5))
            for code in UNITS for hour in range(hours_over)
        ))  # fmt: skip

    def moves(self, *moments: datetime) -> None:
        """Record that other households moved in then, the one before out at the same moment."""
        for number, moment in enumerate((at(1, month=8), *moments)):
            change(self.city, moment, None if number == 0 else moment, f"family-{number}")


def by_the_hour(city: City, *codes: str) -> None:
    """Set meters into the flat that are read by the hour."""
    rows = [meter(f"0101-{code}", code, "0101", 59.5) | {"cadence_min": 60} for code in codes]
    city.pipeline.register(pa.Table.from_pylist(rows), source="meters", actor="test")


def send_hours(city: City, hours: Iterable[tuple[str, datetime, float]]) -> None:
    """Send hourly amounts: utility, start, value."""
    rows = [
        {"site": "c1", "meter": f"0101-{code}", "at": start, "value": value, "commodity": None, "unit": None,
         "row": number}
        for number, (code, start, value) in enumerate(hours, 1)
    ]  # fmt: skip
    table = pa.Table.from_pylist(rows, READINGS)
    city.pipeline.commit([(table, QUARANTINE.empty_table())], source="test", actor="test")


def change(city: City, moved: datetime, left: datetime | None, who: str) -> None:
    """Record that a household moved in, where one lived there after that had left."""
    if left is not None:
        out = move_out(city.registry(), premise=HOME, at=left)
        city.pipeline.apply_records(out, kind="registry", source="test", actor="test")
    came = move_in(city.registry(), premise=HOME, occupant=who, at=moved)
    city.pipeline.apply_records(came, kind="registry", source="test", actor="test")


def reader(city: City, start: datetime, stop: datetime | None = None) -> Access:
    """Give the access of a household of that time."""
    until = FOREVER if stop is None else to_us(stop)
    mine = Grant(HOME, roles()["resident"], from_us=to_us(start), until_us=until)
    return city.access(Scope("kim", frozenset(), (mine,)))


@pytest.fixture(params=[60, 1440], ids=["hourly", "daily"])
def town_at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[datetime], Town]]:
    with ExitStack() as stack:

        def make(now: datetime) -> Town:
            out = Town(tmp_path / "city", request.param, now)
            stack.callback(out.city.close)
            return out

        yield make


def both(town: Town, access: Access, month: str = OCTOBER) -> tuple[Said, Said]:
    """Give what the page and the bills say of each utility: the days and the won."""
    page = Questions(access, now=town.city.now).home.bill(HOME, month)
    bills = dwelling_bills(access, HOME, month, None, SEOUL).bills
    shown = {one.commodity: (page.first, page.last + timedelta(days=1), one.won) for one in page.lines}
    said = {one.commodity: (one.start, one.end, one.due_won) for one in bills}
    # of some hours a meter read by the day says nothing: such a bill has no days of its own
    return shown, {code: shown[code] if days[2] is shown[code][2] is None else days for code, days in said.items()}


def home_lines(town: Town, access: Access) -> list[BillLine]:
    """Give the lines of the page."""
    return Questions(access, now=town.city.now).home.bill(HOME, OCTOBER).lines


def same(town: Town, *moments: datetime) -> None:
    """Hold what each household that lived there is told beside its bills."""
    town.moves(*moments)
    for start, stop in zip((at(1, month=8), *moments), (*moments, None), strict=True):
        if stop is None or stop > at(1):
            page, bills = both(town, reader(town.city, start, stop))
            assert page == bills, (start, stop)
            assert len(page) == len(UNITS)


@pytest.mark.parametrize(
    "moments",
    [
        (at(15, 12),),
        (at(15),),
        (at(1, 12),),
        (at(1),),
        (at(31, 12),),
        (at(31, 23),),
        (at(15, 9), at(15, 15)),
        (at(15, 9), at(16, 15)),
    ],
    ids=lambda moments: "+".join(f"{one:%d.%H}" for one in moments),
)
def test_page_and_bills_of_each_household_are_the_same_to_the_won(
    town_at: Callable[[datetime], Town], moments: tuple[datetime, ...]
) -> None:
    same(town_at(at(2, month=11)), *moments)


@pytest.mark.parametrize("now", [at(15, 18), at(16, 9), at(20, 14)], ids=lambda now: f"{now:%d.%H}")
def test_they_are_the_same_while_the_month_goes_on(town_at: Callable[[datetime], Town], now: datetime) -> None:
    same(town_at(now), at(15, 12))


def test_issued_bills_are_shown_to_the_household_whose_they_are(town_at: Callable[[datetime], Town]) -> None:
    """The first two had a part of one day each: their issued bills are of the same days as others' and still theirs."""
    town = town_at(at(2, month=11))
    moments = (at(15, 9), at(15, 15))
    town.moves(*moments)
    answer_request(town.city, BillIssue("city", OCTOBER), no_progress)
    issued = dwelling_bills(town.city.access(EVERYTHING), HOME, OCTOBER, None, SEOUL).bills
    seen = 0
    for start, stop in zip((at(1, month=8), *moments), (*moments, None), strict=True):
        access = reader(town.city, start, stop)
        page, bills = both(town, access)
        assert page == bills
        mine = [one for one in dwelling_bills(access, HOME, OCTOBER, None, SEOUL).bills if one.status == "issued"]
        shown = [each for line in home_lines(town, access) for each in line.issued or []]
        explained = BillQuestions(access).explain(HOME, OCTOBER).bills if mine else []
        assert len(shown) == len(mine) == len(explained)
        seen += len(mine)
    assert seen > len(UNITS)
    assert seen == sum(one.status == "issued" for one in issued), "each is told to one household"
