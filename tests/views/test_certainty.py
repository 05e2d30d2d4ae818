"""How certain a place's totals are, asked as a person asks: whole days of the city's clock, one row a flow."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import Span
from quintet.views import Questions
from quintet.views.certainty import certain_totals, place_days

FIRST, LAST = "2025-02-01", "2025-02-02"


def test_a_day_all_measured_is_certain(questions: Questions) -> None:
    found = questions.certainty(FIRST, LAST)
    rows = {(row.commodity, row.flow): row for row in found.rows}
    used = rows["electricity", "consumption"]
    assert (used.low, used.best, used.high, used.total, used.unit) == (*[Decimal(24)] * 4, "kWh")
    assert (used.meters, used.meters_open, used.coverage, used.estimated_share) == (1, 0, 1.0, 0.0)
    assert rows["electricity", "import"].total == Decimal("28.8")


def test_a_day_that_is_not_over_owes_no_more_than_its_past(questions: Questions) -> None:
    found = questions.certainty("2025-02-01", "2025-02-03")
    used = next(row for row in found.rows if (row.commodity, row.flow) == ("electricity", "consumption"))
    assert used.total == Decimal("38.5"), "58 quarter hours of the second day are over"
    assert used.coverage is not None
    assert used.coverage > 0.99


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("2025-02-01T06:00:00+09:00", "2025-02-02", "range_cuts_days"),
        ("2020-01", "2025-01", "range_too_long"),
        ("2025-02-02", "2025-02-01", "empty_range"),
    ],
)
def test_a_range_that_cannot_be_asked_is_refused(questions: Questions, start: str, end: str, code: str) -> None:
    with pytest.raises(UsageError) as raised:
        questions.certainty(start, end)
    assert raised.value.code == code


def test_a_place_that_is_none_and_a_level_that_is_none_are_refused(questions: Questions) -> None:
    with pytest.raises(NotFound):
        questions.certainty(FIRST, LAST, place="nowhere")
    with pytest.raises(UsageError, match="is no level"):
        questions.certainty(FIRST, LAST, level=1.5)


def test_stretches_that_are_told_together_are_told_as_each_alone(city: City) -> None:
    """The year of a report and its months share one reading of the days."""
    access, tz = city.access(EVERYTHING), city.registry().tz

    def told(*spans: tuple[int, int]) -> list[object]:
        first, after = (datetime(2025, 2, day, tzinfo=tz) for day in (min(spans)[0], max(one[1] for one in spans)))
        days, _, _ = place_days(access, "city", Span(first, after), None, tz)
        last = [(date(2025, 2, low), date(2025, 2, high - 1)) for low, high in spans]
        return list(certain_totals(access, days, last, "city", 0.9))

    each = [(1, 3), (1, 2), (2, 3)]
    together = told(*each)
    assert together == [told(one)[0] for one in each]
    assert all(together), "every stretch has flows"
    assert together[0] != together[1]
