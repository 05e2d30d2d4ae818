"""The resident's page of a month that was issued: the frozen bill with its corrections."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from quintet.access import EVERYTHING
from quintet.app import requests_bills as bills
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.views import Questions
from quintet.views.home import HomeQuestions

from .billed_city import FIRST, SETTINGS, Clock, made, send, usual
from .test_bills import HOME, OCTOBER

NOVEMBER = "2025-11"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    out = made(tmp_path / "city", Clock(date(2025, 12, 3)), settings=SETTINGS)
    send(out, usual(), FIRST, 61)
    yield out
    out.close()


def home_of(city: City) -> HomeQuestions:
    return Questions(city.access(EVERYTHING), now=city.now).home


def test_an_issued_month_is_shown_as_it_was_issued_with_its_corrections(city: City) -> None:
    before = {line.commodity: line for line in home_of(city).bill(HOME, OCTOBER).lines}
    assert before["electricity"].issued is None
    answer_request(city, bills.BillIssue("city", OCTOBER), no_progress)
    send(city, {"0101-electricity": 12.0}, FIRST, 5)
    october = next(one for one in home_of(city).bill(HOME, OCTOBER).lines if one.commodity == "electricity")
    assert october.issued is not None
    (frozen,) = october.issued
    assert (october.won, october.use) == (before["electricity"].won, before["electricity"].use)
    assert (frozen.sound, frozen.adjustments, frozen.due_won) == (True, [], october.won)
    assert sum(item.won or 0 for item in frozen.items) == frozen.total_won
    answer_request(city, bills.BillIssue("city", NOVEMBER), no_progress)
    told = home_of(city).bill(HOME, NOVEMBER)
    november = next(one for one in told.lines if one.commodity == "electricity")
    assert november.issued is not None
    (frozen,) = november.issued
    (change,) = frozen.adjustments
    assert (change.month, change.won) == (OCTOBER, (frozen.due_won or 0) - (frozen.total_won or 0))
    assert change.won > 0
    assert november.won == frozen.due_won
    assert told.won == sum(line.won or 0 for line in told.lines)
