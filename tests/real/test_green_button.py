"""A measured home as a Green Button feed, out of its city and into an empty one: every interval is the same."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.app.requests import GreenButton, Ingest
from quintet.terms.quality import qualities
from quintet.views import Questions
from quintet.views.own_data import channels_of

SPANS = {
    "burnaby_y2/house1": ("2013-11-15", "2013-12-01"),
    "ausgrid_c12/cust12": ("2011-07-01", "2012-07-01"),
}
"""A time of each home in which it was measured."""
Row = tuple[datetime, Any, str]


@pytest.fixture(scope="module")
def homes(household: Path, city_of: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured-homes")
    city_of(folder, household)
    return folder / "city"


@pytest.mark.parametrize("place", sorted(SPANS))
def test_a_measured_home_comes_in_as_it_went_out(homes: Path, tmp_path: Path, place: str) -> None:
    span = SPANS[place]
    city = City.open(homes)
    feed = tmp_path / "feed.xml"
    answer_request(city, GreenButton(place, *span, str(feed), "test"), lambda _: None)
    wanted = rows_of(city, place, span)
    city.close()
    empty = City.create(tmp_path / "empty")
    said = answer_request(empty, Ingest([str(feed)], None, "test"), lambda _: None).read()
    (site,) = {one.place for one in Questions(empty.access(EVERYTHING)).meters().meters}
    found = rows_of(empty, site, span)
    empty.close()
    assert said["quarantined"] == 0
    assert sum(len(rows) for rows in wanted) > 3_000, [len(rows) for rows in wanted]
    assert found == wanted


def rows_of(city: City, place: str, span: tuple[str, str]) -> list[list[Row]]:
    """Give what is known of each channel, in an order that no name decides."""
    first, last = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in span)
    questions = Questions(city.access(EVERYTHING), now=city.now)
    return sorted(
        (
            [(row.start, row.value, qualities()[str(row.quality)].kind) for row in one.rows if row.value is not None]
            for one in channels_of(questions, place, first, last)
        ),
        key=str,
    )
