"""How a city's readings travel: each once, in order, when it can be known, late ones on their day."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from quintet.simulate.plan import STEP_US
from quintet.simulate.stream import Parcel, Traffic

from .conftest import START, city_of

DAY = START + timedelta(days=1)
Reading = tuple[str, str, int, float]


def of_table(table: pa.Table) -> Counter[Reading]:
    stamps = table["ts_utc"].cast(pa.int64()).to_pylist()
    return Counter(
        zip(table["site"].to_pylist(), table["meter"].to_pylist(), stamps, table["value"].to_pylist(), strict=True)
    )


def of_parcels(traffic: Traffic, parcels: list[Parcel]) -> Counter[Reading]:
    return Counter(
        (*traffic.names[name], at, value)
        for parcel in parcels
        for name, at, value in zip(parcel.name.tolist(), parcel.at_us.tolist(), parcel.value.tolist(), strict=True)
    )


@pytest.mark.parametrize(("most", "by_site"), [(1, False), (7, True), (200, True), (1000, False), (10**6, True)])
def test_parcels_hold_each_reading_once_in_order_of_time(most: int, by_site: bool) -> None:
    city = city_of(faults=True)
    traffic = Traffic(city)
    parcels = list(traffic.parcels(DAY, most, by_site=by_site))
    assert of_parcels(traffic, parcels) == of_table(city.readings(DAY))
    assert all(0 < len(parcel) <= most for parcel in parcels)
    stamps = np.concatenate([parcel.at_us for parcel in parcels])
    assert (np.diff(stamps) >= 0).all()
    if by_site:
        assert all(len({traffic.names[name][0] for name in parcel.name.tolist()}) == 1 for parcel in parcels)


def test_what_is_sent_in_all_days_is_what_arrives_late_ones_too() -> None:
    city = city_of(faults={"late": 0.2}, days=4)
    traffic = Traffic(city)
    days = [city.plan.day(number) for number in range(4)]
    sent = [one.parcel for day in days for one in traffic.sendings(day)]
    arrived = sum((of_table(city.readings(day)) + of_table(city.late(day)) for day in days), Counter[Reading]())
    assert of_parcels(traffic, sent) == arrived
    assert sum(city.late(day).num_rows for day in days) > 0


def test_a_reading_is_sent_within_a_quarter_hour_after_it_can_be_known() -> None:
    city = city_of()
    traffic = Traffic(city)
    sums = {(row["site"], row["meter"]) for row in city.meters.to_pylist() if row["value_kind"] == "interval_sum"}
    sendings = traffic.sendings(DAY)
    assert [one.due_us for one in sendings] == sorted(one.due_us for one in sendings)
    seen = set[bool]()
    for one in sendings:
        for name, at in zip(one.parcel.name.tolist(), one.parcel.at_us.tolist(), strict=True):
            known_us = at + (STEP_US if traffic.names[name] in sums else 0)
            assert known_us <= one.due_us < known_us + STEP_US
            seen.add(traffic.names[name] in sums)
    assert seen == {True, False}
    assert len({one.due_us % STEP_US for one in sendings}) > 10, "the city speaks all at once"


def test_what_was_sent_by_a_moment_and_what_is_sent_after_it_make_the_day() -> None:
    city = city_of(faults=True)
    traffic = Traffic(city)
    sendings = traffic.sendings(DAY)
    now_us = sendings[len(sendings) // 3].due_us
    before = traffic.table_until(DAY, now_us)
    assert before.schema == city.readings(DAY).schema
    after = [one.parcel for one in sendings if one.due_us > now_us]
    assert of_table(before) + of_parcels(traffic, after) == of_table(city.readings(DAY)) + of_table(city.late(DAY))
    assert traffic.table_until(DAY, 0).num_rows == 0


def test_readings_can_be_left_out_of_a_parcel() -> None:
    parcel = Parcel(np.arange(4, dtype=np.int32), np.arange(4), np.arange(4) / 10)
    left = parcel.without([0, 2])
    assert (left.name.tolist(), left.at_us.tolist(), left.value.tolist()) == ([1, 3], [1, 3], [0.1, 0.3])
