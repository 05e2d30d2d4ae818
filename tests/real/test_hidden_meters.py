"""Meters of the measured city are hidden: the interval of their total holds what they showed, as often as it says."""

import shutil
from collections.abc import Callable, Generator
from math import sqrt
from pathlib import Path

import pytest

from quintet.access import EVERYTHING
from quintet.app.city import City
from quintet.terms.period import Span, parse_moment
from quintet.views.certainty import trials

Opened = Callable[[Path, Path], City]
TIMES = 30


@pytest.fixture(scope="module")
def measured_city(mapped: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[City]:
    """Give a copy of the measured city."""
    folder = tmp_path_factory.mktemp("hidden") / "city"
    shutil.copytree(mapped / "city", folder)
    city = City.open(folder)
    yield city
    city.close()
    shutil.rmtree(folder)


def test_hidden_meters_of_the_measured_city_are_within_the_interval(measured_city: City) -> None:
    """Meters silent for a month, and gaps of days: 90 trials and more of electricity, gas and water.

    The bound is that of 85 to 95 %, with 3.3 standard errors.
    """
    tz = measured_city.registry().tz
    span = Span(parse_moment("2019-01-01", tz), parse_moment("2019-02-01", tz))
    found = trials(
        measured_city.access(EVERYTHING), "city", span, shares=[0.05, 0.2], level=0.9, times=TIMES, seed=3, tz=tz
    )
    told = [one for flow, one in found if flow.flow == "consumption" and one.meters >= 10 and one.way != "new"]
    assert {flow.commodity for flow, one in found if one.meters >= 10} >= {"electricity", "gas", "water"}
    answered, inside = sum(one.trials - one.refused for one in told), sum(one.inside for one in told)
    assert answered >= 3 * TIMES
    low, high = (p + side * 3.3 * sqrt(p * (1 - p) / answered) for p, side in ((0.85, -1), (0.95, 1)))
    assert low <= inside / answered <= high
