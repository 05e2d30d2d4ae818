"""A facility's good hours: by the limits of its class, only where everything is known, exact to the last mWh."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from quintet.ledger.facilities import Read, facility_classes, fine_steps, parse_classes, service
from quintet.terms.errors import BadInput
from quintet.terms.unit import units

HOUR = np.full(4, 3_600_000_000, np.int64)
ALL = np.ones(4, np.bool_)
SHELTER = facility_classes()["bus_shelter"]


def read(name: str, *values: float) -> Read:
    unit = next(limit.unit for limit in SHELTER.limits if limit.reading == name)
    ratio = units()[unit].ratio
    return Read(name, np.array([int(Fraction(str(value)) * ratio) for value in values], np.int64), ALL)


FINE = [read("temperature", 18, 20, 28, 22), read("humidity", 50, 50, 50, 50), read("pm25", 35, 10, 0, 35)]
ENERGY = [Fraction(1), Fraction(2), Fraction(3), Fraction(4)]


def test_every_shipped_limit_has_a_band_a_date_and_a_source() -> None:
    assert {limit.decides for limit in SHELTER.limits} == {"comfortable", "clean"}
    assert all(limit.source and limit.date for klass in facility_classes().values() for limit in klass.limits)


def test_the_ends_of_a_band_are_within_it() -> None:
    found = service(SHELTER, ENERGY, ALL, FINE, HOUR, ALL)
    assert (found.good, found.energy_kwh, found.kwh_per_good_hour, found.reason) == (4, 10, Fraction(10, 4), None)
    (limit,) = (one for one in SHELTER.limits if one.reading == "temperature")
    assert fine_steps(limit, read("temperature", 17.999, 18, 28, 28.001).value, HOUR).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_energy_of_hours_that_are_not_good_is_paid_by_those_that_are() -> None:
    cold = [read("temperature", 18, 12, 28, 22), FINE[1], read("pm25", 35, 10, 80, 35)]
    found = service(SHELTER, ENERGY, ALL, cold, HOUR, ALL)
    assert (found.comfortable, found.clean, found.good) == (3, 3, 2)
    assert found.kwh_per_good_hour == 5


def test_what_is_not_known_is_in_neither_number() -> None:
    blind = Read("pm25", FINE[2].value, np.array([True, False, True, True]))
    found = service(SHELTER, ENERGY, ALL, [*FINE[:2], blind], HOUR, ALL)
    assert (found.hours, found.judged, found.energy_kwh, found.kwh_per_good_hour) == (4, 3, 8, Fraction(8, 3))
    found = service(SHELTER, ENERGY, ~ALL, FINE, HOUR, ALL)
    assert (found.kwh_per_good_hour, found.reason) == (None, "in no step is everything known that it is judged by")
    found = service(SHELTER, ENERGY, ALL, FINE[:2], HOUR, ALL)
    assert (found.kwh_per_good_hour, found.judged, found.reason) == (None, 0, "no reading of pm25 is named")


@pytest.mark.parametrize(
    "change",
    [{"source": " "}, {"date": "soon"}, {"low": "30"}, {"decides": "cosy"}, {"unit": "kWh"}, {"colour": "red"}],
)
def test_a_limit_that_cannot_be_does_not_load(change: dict[str, Any]) -> None:
    limit = {
        "commodity": "air_temperature", "unit": "degC", "low": "18", "high": "28", "decides": "comfortable",
        "source": "s", "date": "2020", "certainty": "M",
    }  # fmt: skip
    row = {"name_en": "x", "name_ko": "x", "limit": {"temperature": limit}}
    assert parse_classes({"x": row})
    with pytest.raises(BadInput):
        parse_classes({"x": {**row, "limit": {"temperature": {**limit, **change}}}})


def test_a_class_that_limits_nothing_or_in_no_unit_does_not_load() -> None:
    limit = {
        "commodity": "air_temperature", "unit": "furlong", "low": "18", "decides": "comfortable", "source": "s",
        "date": "2020", "certainty": "A",
    }  # fmt: skip
    for limits in ({}, {"temperature": limit}):
        with pytest.raises(BadInput):
            parse_classes({"kiosk": {"name_en": "x", "name_ko": "x", "limit": limits}})
