"""Open data end to end: what is told, what is not, and that what was told is the same at every later moment."""

import csv
import io
import json
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.open_city import DAYS, HOUR, HOUSE, SETTINGS, SMALL, START, TOWER, Clock, made, meters, send

from quintet.app import requests
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.registry import rewire
from quintet.store.audit_check import check
from quintet.terms.errors import BadInput, NotFound, QuintetError, UsageError
from quintet.views import open_releases

from .conftest import RunHere

Make = Callable[..., City]
ASKED: dict[str, Any] = {
    "start": "2027-07", "end": "2027-08", "resolution": "month", "place": "city", "form": "csv", "by": "kim",
    "reason": "the monthly release",
}  # fmt: skip
Row = dict[str, str]


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the city's folder, which is only ever copied."""
    folder = tmp_path_factory.mktemp("standard") / "city"
    made(folder).close()
    return folder


@pytest.fixture
def make(standard: Path, tmp_path: Path) -> Iterator[Make]:
    """Give a function that makes the city, or one that is other in some way; it is closed with the test."""
    opened: list[City] = []

    def start(**other: Any) -> City:
        folder = tmp_path / f"city{len(opened)}"
        opened.append(made(folder, **other) if other else City.open(shutil.copytree(standard, folder), now=Clock()))
        return opened[-1]

    yield start
    for city in opened:
        city.close()


def files(city: City, **how: Any) -> list[str]:
    return list(answer_request(city, requests.OpenData(**ASKED | how), no_progress).read()["files"].values())


def rows(city: City, **how: Any) -> list[Row]:
    return list(csv.DictReader(io.StringIO(files(city, **how)[0])))


def only(found: list[Row], place: str, measure: str, commodity: str = "electricity") -> Row:
    (one,) = [
        row for row in found if (row["place"], row["measure"], row["commodity"]) == (place, measure, commodity)
    ]  # fmt: skip
    return one


def test_a_house_of_three_is_hidden_and_so_is_a_house_that_would_give_it_away(make: Make) -> None:
    found = rows(make())
    told = {place: only(found, place, "consumption") for place in ("city", "d1", "d1/tower", "d1/school")}
    assert {row["status"] for row in told.values()} == {"told"}
    assert [told[place]["customers"] for place in told] == [str(TOWER + HOUSE + SMALL)] * 2 + [str(TOWER), "0"]
    small, house = (only(found, f"d1/{name}", "consumption") for name in ("small", "house"))
    assert (small["value"], small["status"], small["reason"]) == ("", "suppressed", "below_floor")
    assert (house["value"], house["status"], house["reason"]) == ("", "suppressed", "protects_others")
    # the city less what is told below it is the sum over the two houses: more than forty customers
    rest = sum(1 + number / 1000 for count in (HOUSE, SMALL) for number in range(count)) * DAYS * 24
    left = Decimal(told["city"]["value"]) - Decimal(told["d1/tower"]["value"]) - Decimal(told["d1/school"]["value"])
    assert float(left) == pytest.approx(rest, rel=1e-9)


def test_three_roofs_hide_what_closes_the_row(make: Make) -> None:
    found = rows(make())
    assert only(found, "city", "local_generation")["reason"] == "below_floor"
    for measure in ("import", "export", "unaccounted"):
        assert only(found, "city", measure)["reason"] == "protects_others"
    assert only(found, "d1/house", "consumption", "water")["status"] == "told"
    hidden = [row for row in found if row["status"] == "suppressed"]
    assert hidden
    assert all(row["value"] == "" and row["customers"] == "" for row in hidden)


def test_one_silent_home_hides_what_the_boundary_meter_would_tell_of_it(make: Make) -> None:
    roofs = [f"roof-{number:03d}" for number in range(3)]
    whole, lacking = make(without=roofs), make(without=roofs, silent=["tower-050"])
    assert only(rows(whole), "city", "unaccounted")["status"] == "told"
    found = rows(lacking)
    assert only(found, "city", "consumption")["status"] == "told"
    assert {only(found, "city", one)["reason"] for one in ("import", "export", "unaccounted")} == {"silent_meters"}


def test_a_customer_above_fifteen_percent_hides_the_sum_unless_the_city_names_it_open(make: Make) -> None:
    closed = make(settings=SETTINGS.replace("open_data =", "# open_data ="))
    found = rows(closed)
    assert only(found, "city", "consumption")["reason"] == "below_floor"
    assert only(found, "d1/school", "consumption")["reason"] == "below_floor"
    assert only(found, "d1/tower", "consumption")["status"] == "told"


@pytest.mark.parametrize(("resolution", "periods"), [("day", DAYS), ("hour", DAYS * 24)])
def test_below_a_month_a_hundred_are_needed_and_the_parts_add_up(make: Make, resolution: str, periods: int) -> None:
    city = make()
    month, found = rows(city), rows(city, resolution=resolution)
    told = [row for row in found if (row["place"], row["measure"], row["status"]) == ("city", "consumption", "told")]
    assert len(told) == periods
    assert sum(Decimal(row["value"]) for row in told) == Decimal(only(month, "city", "consumption")["value"])
    assert only(found, "d1/tower", "consumption")["reason"] == "protects_others", "the rest would be 48 homes by day"
    assert only(found, "d1/house", "consumption", "water")["reason"] == "below_floor"


def test_what_was_told_stays_whatever_arrives_or_moves_later(make: Make) -> None:
    city = make(silent=["small-001"])
    first = files(city)
    late = [row for row in meters() if row["meter"] == "small-001"]
    send(city, late)
    records = rewire(city.registry(), "d1/house-003", valid_from=START, place="d1/small")
    city.pipeline.apply_records(records, kind="registry", source="test", actor="test")
    assert files(city) == first
    assert rows(city, place="d1/tower") == [
        row for row in csv.DictReader(io.StringIO(first[0])) if row["place"] == "d1/tower"
    ]  # fmt: skip
    assert rows(city, preview=True) != rows(city), "as known now it would be another sum, and the two would tell on one"
    with city.engine.snapshot() as snapshot:
        assert check(city.engine, snapshot).broken is None
        said = snapshot.rows("select actor, subject from audit where subject like 'ledger.open_release%'")
    assert said == [("kim", "ledger.open_release:2027-07")]


def test_what_weighs_hours_is_told_where_hours_are(make: Make, tmp_path: Path) -> None:
    """A month by a factor of each hour is more than the month's sum: of two such, a part of the month follows."""
    hidden_by_day = [f"roof-{number:03d}" for number in range(3)] + [f"tower-{number:03d}" for number in range(60)]
    lines = "".join(f"{START + hour * HOUR},{300 + hour}\n" for hour in range(DAYS * 24))
    (tmp_path / "grid.csv").write_text(f"start,co2e_kg\n{lines}", encoding="utf-8")
    stated = (
        f'[[hourly]]\nid = "grid"\ncommodity = "electricity"\nunit = "MWh"\nfile = "{tmp_path}/grid.csv"\n'
        f'certainty = "S"\nstart = "{START.isoformat()}"\npublished_on = "2027"\nsource = "the operator"\n'
    )
    plain, weighed = make(without=hidden_by_day), make(without=hidden_by_day, settings=SETTINGS + stated)
    assert only(rows(plain), "city", "emissions.scope_2", "")["status"] in ("told", "partial")
    found = rows(weighed)
    assert only(found, "city", "consumption")["status"] == "told"
    assert only(found, "city", "emissions", "")["reason"] == "below_floor"
    no_water = [*hidden_by_day[:3], *(f"water-{number:03d}" for number in range(HOUSE))]
    many = rows(make(without=no_water, settings=SETTINGS + stated))
    assert only(many, "city", "emissions.scope_2", "")["status"] in ("told", "partial")


def test_another_floor_tells_nothing_of_a_month_that_was_told(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    city = make()
    files(city)
    other = open_releases.floor()
    monkeypatch.setattr(open_releases, "floor", lambda: type(other)(41, 15, 200, 67, 5, 7))
    with pytest.raises(BadInput, match="released by the privacy floor"):
        files(city)


def test_a_day_of_a_released_month_can_be_asked_alone(make: Make) -> None:
    city = make()
    every = rows(city, resolution="day")
    one = rows(city, resolution="day", start="2027-07-03", end="2027-07-04")
    third = [row for row in every if row["status"] == "suppressed" or row["start"].startswith("2027-07-03")]
    assert one == third


def test_books_are_told_where_every_term_behind_them_is(make: Make) -> None:
    found = rows(make())
    assert only(found, "city", "emissions", "")["reason"] == "protects_others"
    roofs = [f"roof-{number:03d}" for number in range(3)]
    told = rows(make(without=roofs))
    scope = only(told, "city", "emissions.scope_2", "")
    assert (scope["unit"], scope["status"]) == ("kg CO2e", "told")
    assert Decimal(scope["value"]) > 0
    assert only(told, "city", "self_sufficiency", "")["status"] == "suppressed", "45 have water: too few for days"


def test_ngsi_ld_tells_the_same_in_both_forms(make: Make) -> None:
    city = make()
    whole, plain = (json.loads(files(city, form="ngsi-ld", simple=simple)[0]) for simple in (False, True))
    assert [one["id"] for one in whole] == [one["id"] for one in plain]
    assert len({one["id"] for one in whole}) == len(whole)
    water = next(one for one in plain if one["type"] == "WaterConsumptionObserved" and one["areaServed"] == "d1/house")
    assert water["waterConsumption"] == round(water["consumption"] * 1000)
    hidden = next(one for one in whole if one["areaServed"]["value"] == "d1/small")
    assert hidden["suppressed"]["value"]["consumption"] == "below_floor"
    assert "consumption" not in hidden
    for one in whole:
        assert isinstance(one["@context"], dict), "no network is needed"
        for name, value in one.items():
            if name not in ("id", "type", "@context"):
                assert value["type"] == "Property"


def test_the_description_says_what_a_stranger_needs(make: Make) -> None:
    data, text = files(make())
    said = json.loads(text)
    assert [one["name"] for one in said["tableSchema"]["columns"]] == data.splitlines()[0].split(",")
    assert (said["dc:license"], said["quintet:privacy_floor"]["customers"]) == ("CC-BY-4.0", 41)
    (release,) = said["quintet:releases"]
    assert (release["month"], release["by"], bool(release["factor_set"])) == ("2027-07", "kim", True)
    assert {"place": "d1/small", "reason": "below_floor"}.items() <= next(
        one for one in said["quintet:suppressed"] if one["place"] == "d1/small"
    ).items()
    assert all(one["titles"]["ko"] for one in said["tableSchema"]["columns"])


def test_what_cannot_be_told_is_refused_and_nothing_is_released(make: Make) -> None:
    city = make()
    refused: list[tuple[dict[str, Any], type[QuintetError], str]] = [
        ({"start": "2027-07-02"}, UsageError, "not_whole_months"),
        ({"start": "2027-08", "end": "2027-09"}, UsageError, "month_not_settled"),
        ({"resolution": "15min"}, UsageError, "bad_resolution"),
        ({"place": "d1/towr"}, NotFound, "unknown_place"),
        ({"form": "xml"}, UsageError, "bad_form"),
        ({"by": " "}, UsageError, "no_reason"),
        ({"start": "2020-01", "end": "2027-08"}, UsageError, "range_too_long"),
    ]
    for how, error, code in refused:
        with pytest.raises(error) as caught:
            files(city, **how)
        assert caught.value.code == code
        assert answer_request(city, requests.OpenReleases(), no_progress).rows == []


def test_the_command_writes_files_or_the_data_alone(make: Make, run: RunHere, tmp_path: Path) -> None:
    city = make()
    folder = str(city.folder)
    city.close()
    asked = ("export", "open-data", "--city", folder, "--from", "2027-07", "--to", "2027-08", "--preview")
    code, out, err = run(*asked)
    assert (code, out.splitlines()[0].split(",")[:3]) == (0, ["start", "end", "place"])
    assert err == ""
    code, out, err = run(*asked, "--format", "ngsi-ld", "--key-values", "--out", str(tmp_path / "out"))
    (written,) = (tmp_path / "out").iterdir()
    assert (code, out, written.name) == (0, "", "open-data-2027-07-01-2027-08-01-month.jsonld")
    assert json.loads(written.read_bytes())
    assert "suppressed" in err
    assert run(*asked, "--key-values")[0] == 2
    code, out, err = run(*asked[:-1])
    assert (code, out) == (2, "")
    assert "cannot be released yet" in err
    assert run("export", "releases", "--city", folder, "--format", "json")[1] == '{"releases": []}\n'
