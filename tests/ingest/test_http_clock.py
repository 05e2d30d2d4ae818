"""The sender's clock at this attempt: the same body can be sent again, however long that takes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .conftest import Serve, Served

AT = "2026-11-03T00:00:00Z"


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve()


def body(hours_ago: int) -> dict[str, Any]:
    """Give one reading that states when it was sent first."""
    sent = (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat()
    return {"readings": [{"site": "c1", "meter": "power", "ts_utc": AT, "value": 0.25, "sent_at": sent}]}


def clock(hours_ago: int = 0) -> dict[str, str]:
    return {"Quintet-Sent-At": (datetime.now(UTC) - timedelta(hours=hours_ago)).isoformat()}


def test_an_old_body_is_taken_when_its_sender_states_its_clock_anew(served: Served) -> None:
    sent = body(hours_ago=5)
    assert served.send(sent).json()["rejected"][0]["code"] == "clock_off"
    assert served.send(sent, **clock()).json()["accepted"] == 1
    assert served.raw_rows() == 1


def test_a_clock_that_is_off_is_off_in_the_header_too(served: Served) -> None:
    assert served.send(body(hours_ago=0), **clock(hours_ago=5)).json()["rejected"][0]["code"] == "clock_off"


def test_the_clock_is_no_part_of_what_a_key_stands_for(served: Served) -> None:
    sent = body(hours_ago=0)
    first = served.send(sent, **clock(), **{"Idempotency-Key": "one"})
    again = served.send(sent, **clock(hours_ago=5), **{"Idempotency-Key": "one"})
    assert again.json() == {**first.json(), "repeated": True}
    assert first.json()["accepted"] == 1


@pytest.mark.parametrize("said", ["now", "2026-11-03T00:00:00", "99999-01-01T00:00:00Z", ""])
def test_a_clock_that_is_none_is_refused(served: Served, said: str) -> None:
    answer = served.send(body(hours_ago=0), **{"Quintet-Sent-At": said})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_clock")
    assert served.raw_rows() == 0
