"""The proof from the store: once is fine; missing, doubled and differing readings are counted, named and fail."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from quintet.app.answer import Answer, no_progress
from quintet.app.answers_proof import load_verify
from quintet.app.city import City
from quintet.app.load_acks import Acks
from quintet.app.requests import LoadVerify
from quintet.simulate.stream import Parcel
from quintet.terms.errors import BadInput
from quintet.terms.period import to_us

from .seen_city import FIRST, SECRET_SITE, Clock, commit, made

STEP = timedelta(minutes=15)
VALUES = [100.0, 100.3, 100.30000000000001, 1e-3, 835791.28, 123456.7]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    clock = Clock()
    city = made(tmp_path / "city", clock)
    clock.now = FIRST + timedelta(days=3)
    commit(city, [("water", number * STEP, value) for number, value in enumerate(VALUES)])
    yield city
    city.close()


def acked(path: Path, values: list[float], *, meter: str = "water", first: int = 0) -> LoadVerify:
    count = len(values)
    at_us = np.array([to_us(FIRST + number * STEP) for number in range(first, first + count)], np.int64)
    with Acks(path, [(SECRET_SITE, meter)]) as acks:
        acks.add(Parcel(np.zeros(count, np.int32), at_us, np.array(values)), 1)
    return LoadVerify(str(path))


def verified(city: City, asked: LoadVerify) -> Answer:
    return load_verify(city, asked, no_progress)


def counts(answer: Answer) -> tuple[int, int, int, int]:
    said = answer.read()
    return said["once"], said["missing"], said["doubled"], said["differing"]


def test_what_is_there_once_is_proved_whether_its_day_is_closed_or_not(city: City, tmp_path: Path) -> None:
    asked = acked(tmp_path / "acks", VALUES)
    for _ in range(2):
        answer = verified(city, asked)
        assert (counts(answer), answer.exit_code) == ((len(VALUES), 0, 0, 0), 0)
        city.close_days()
    assert city.engine.lakes["raw"].newest_version() >= 0, "no day was closed"


def test_an_acknowledgement_that_came_twice_is_one_reading(city: City, tmp_path: Path) -> None:
    acked(tmp_path / "acks", VALUES)
    answer = verified(city, acked(tmp_path / "acks", VALUES))
    assert counts(answer) == (len(VALUES), 0, 0, 0)
    assert answer.read()["acknowledged"] == 2 * len(VALUES)


@pytest.mark.parametrize("closed", [False, True])
def test_a_lost_a_changed_and_an_unknown_reading_are_found_and_named(city: City, tmp_path: Path, closed: bool) -> None:
    if closed:
        city.close_days()
    path = tmp_path / "acks"
    acked(path, [*VALUES[:-1], 123456.8, 5.0])
    answer = verified(city, acked(path, [1.0], meter="unknown"))
    assert counts(answer) == (len(VALUES) - 1, 2, 0, 1)
    assert answer.exit_code == 1
    named = {(row["fault"], row["channel"], row["value"]) for row in answer.read()["named"]}
    assert named == {
        ("missing", f"{SECRET_SITE}/water", "5.0"),
        ("missing", f"{SECRET_SITE}/unknown", "1.0"),
        ("differing", f"{SECRET_SITE}/water", "123456.8"),
    }


def test_a_doubled_reading_is_found(city: City, tmp_path: Path) -> None:
    with city.engine.writing("readings", "test", "test", city.now()) as writing:
        writing.execute("insert into raw by name select * replace (? as batch) from raw limit 2", [writing.batch.id])
    answer = verified(city, acked(tmp_path / "acks", VALUES))
    assert counts(answer) == (len(VALUES) - 2, 0, 2, 0)
    assert answer.exit_code == 1


def test_a_corrected_reading_does_not_hide_the_one_before(city: City, tmp_path: Path) -> None:
    commit(city, [("water", timedelta(), 99.0)])
    assert counts(verified(city, acked(tmp_path / "acks", VALUES))) == (len(VALUES), 0, 0, 0)
    assert counts(verified(city, acked(tmp_path / "later", [99.0]))) == (1, 0, 0, 0)


def test_a_file_without_readings_is_no_proof(city: City, tmp_path: Path) -> None:
    Acks(tmp_path / "acks", [(SECRET_SITE, "water")]).close()
    with pytest.raises(BadInput, match="proves nothing"):
        verified(city, LoadVerify(str(tmp_path / "acks")))
