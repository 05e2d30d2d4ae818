"""Totals of few dwellings: alone, as what is left of two totals, and behind a network; who reads them is noted."""

from dataclasses import dataclass, field

import pytest

from quintet.access import Access
from quintet.access.losses import network_losses
from quintet.access.read_log import Read
from quintet.access.roles import roles
from quintet.access.scope import Grant
from quintet.terms.errors import Forbidden
from quintet.terms.period import Resolution, Span

from .conftest import City, Scope, utc

DAY, JANUARY = Span(utc(2), utc(3)), Span(utc(1), utc(32))
SIZES = {"large": 16, "enough": 15, "one": 1}
FEW = {"id": "riser", "commodity": "electricity", "place": "c/large", "supply": ["c/head"], "places": ["c/large/1"]}
MANY = {"id": "main", "commodity": "electricity", "place": "c", "supply": ["c/main"], "places": ["c/large"]}


@dataclass
class Noting:
    """Remembers what would stand in the read log."""

    reads: list[Read] = field(default_factory=list[Read])

    def note(self, read: Read) -> int:
        self.reads.append(read)
        return len(self.reads)

    def extend(self, line: int, until_us: int) -> None:
        del line, until_us


@pytest.fixture
def town(city: City) -> City:
    """Give a complex of three buildings, told by the hour: one of them holds a single home."""
    flats = [
        {"site": "c", "building": building, "premise": str(number), "meter": f"{building}-{number}"}
        for building, size in SIZES.items()
        for number in range(1, size + 1)
    ]
    city.register(*flats, *({"site": "c", "meter": name, "role": "submeter"} for name in ("head", "main")))
    city.send([(f"c/{row['meter']}", utc(2, hour), 1.0 + hour) for row in flats for hour in range(24)])
    return city


def staff(city: City, role: str, *places: str, why: str = "", log: Noting | None = None) -> Access:
    grants = tuple(Grant(place, roles()[role]) for place in places)
    city.access()  # it sets the clock
    scope = Scope("kim", frozenset(), grants, why)
    return Access(city.engine, city.registry_at, city.pipeline.recent, scope, "rules", log)


def told(access: Access, place: str, span: Span = DAY, step: Resolution = Resolution.HOUR) -> str:
    try:
        access.flows(place, span, step)
    except Forbidden as error:
        return error.code
    return ""


def test_no_two_totals_that_a_manager_is_told_differ_by_a_single_home(town: City) -> None:
    mine = staff(town, "building_manager", "c")
    hourly = {place: told(mine, place) for place in ("c", "c/large", "c/enough", "c/one")}
    refused = "too_fine_for_role"
    assert hourly == {"c": "", "c/large": "", "c/enough": refused, "c/one": refused}
    assert {told(mine, f"c/{name}", JANUARY, Resolution.MONTH) for name in SIZES} == {""}


def test_what_cannot_be_taken_from_anything_is_told(town: City) -> None:
    assert told(staff(town, "building_manager", "c/enough"), "c/enough") == ""
    both = staff(town, "building_manager", "c/enough", "c")
    assert told(both, "c/enough") == "too_fine_for_role"
    with pytest.raises(Forbidden, match="taken from another total") as refused:
        both.flows("c/enough", DAY, Resolution.HOUR)
    assert refused.value.said["beside"] == "c/enough"


def test_an_operator_says_why_and_the_households_of_a_few_can_read_it(town: City) -> None:
    assert told(staff(town, "operator", "c"), "c/one") == "reason_needed"
    assert told(staff(town, "operator", "c"), "c/enough") == "reason_needed"
    log = Noting()
    mine = staff(town, "operator", "c", why="a complaint", log=log)
    assert {told(mine, place) for place in ("c", "c/large", "c/enough", "c/one")} == {""}
    noted = list(dict.fromkeys((read.place, read.step_min, read.reason) for read in log.reads))
    assert noted == [("c/enough", 60, "a complaint"), ("c/one", 60, "a complaint")]


def test_a_network_with_few_dwellings_is_as_they_are(town: City) -> None:
    town.describe(place=[{"id": "c", "level": "complex"}], feeder=[FEW, MANY])
    mine = staff(town, "building_manager", "c")
    for place, network in (("c", ""), ("", "riser")):
        with pytest.raises(Forbidden) as refused:
            network_losses(mine, DAY, Resolution.HOUR, place=place, network=network)
        assert (refused.value.code, refused.value.place) == ("too_fine_for_role", "riser")
    assert network_losses(mine, DAY, Resolution.HOUR, network="main").sums is not None
    assert network_losses(mine, JANUARY, Resolution.MONTH, place="c").sums is not None
    log = Noting()
    network_losses(staff(town, "operator", "c", why="a leak", log=log), DAY, Resolution.HOUR, network="riser")
    assert [(read.place, read.what, read.reason) for read in log.reads] == [("c/large/1", "networks", "a leak")]
