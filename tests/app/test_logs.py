"""The log of a served city: stable events, JSON a line each, and nothing in it that tells of a person."""

import io
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quintet.app.city import City
from quintet.app.logs import EVENTS, Log, Logbook, opened
from quintet.app.metrics_watch import Door
from quintet.app.overheard import LOGGERS
from quintet.pipeline.grouping import Stats
from quintet.terms.errors import CityError

from .seen_city import FIRST, SECRET_METER, SECRET_SITE, Clock, commit


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class Kept(io.StringIO):
    """A stream that can be read after it was closed."""

    def close(self) -> None:
        return


def test_what_happens_is_told_in_order_and_names_nobody(city: City, clock: Clock) -> None:
    stream = Kept()
    stats = city.watch.stats = Stats()
    states = ["up"]
    city.watch.doors.append(lambda: [Door("mqtt-1", states[0], {})])
    book = Logbook(city.observer, Log(stream), every_s=3600)
    book.begin()
    clock.now = FIRST + timedelta(days=2)
    commit(city, [(SECRET_METER, timedelta(), 0.125), ("no-such-meter", timedelta(), 77.625)])
    stats.failures, stats.busy_refusals, stats.refused = 1, 2, 3
    states[0] = "disconnected"
    book.end()
    told = lines(stream)
    assert [line["event"] for line in told] == [
        "serving", "door", "committed", "commit_failed", "turned_away", "key_reused", "set_aside", "door_troubled",
        "ended",
    ]  # fmt: skip
    committed = told[2]
    assert (committed["batches"], committed["accepted"], committed["quarantined"]) == (1, 1, 1)
    assert told[3] | {"at": ""} == {"event": "commit_failed", "level": "error", "commits": 1, "at": ""}
    for word in (SECRET_METER, SECRET_SITE, "no-such-meter", "0.125", "77.625"):
        assert word not in stream.getvalue()


def test_days_that_were_closed_are_told(city: City, clock: Clock) -> None:
    clock.now = FIRST + timedelta(days=3)
    commit(city, [("water", timedelta(hours=hours), 5.0) for hours in range(30)])
    stream = Kept()
    book = Logbook(city.observer, Log(stream), every_s=3600)
    book.begin()
    city.close_days()
    book.end()
    assert [line["days"] for line in lines(stream) if line["event"] == "days_closed"] == [2]


def test_an_event_says_only_what_it_may(city: City) -> None:
    log = Log(io.StringIO())
    for wrong in ({"meter": SECRET_METER}, {"source": SECRET_SITE}, {"value": 1.5}):
        with pytest.raises(KeyError):
            log.tell("committed", **wrong)
    with pytest.raises(KeyError):
        log.tell("no_such_event")
    said = {name for _, names in EVENTS.values() for name in names}
    assert not said & {"meter", "site", "place", "source", "value", "name", "person", "premise", "channel"}


def test_without_a_word_only_trouble_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    log = opened("")
    log.tell("serving", last_batch=1, open_days=1)
    assert capsys.readouterr().err == ""
    log.tell("disk_low", free_bytes=5)
    assert json.loads(capsys.readouterr().err)["event"] == "disk_low"
    log.close()


def test_a_log_file_is_added_to_and_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    for _ in range(2):
        log = opened(str(tmp_path / "log"))
        log.tell("serving", last_batch=1, open_days=1)
        log.close()
    assert len((tmp_path / "log").read_text().splitlines()) == 2
    with pytest.raises(CityError) as caught:
        opened(str(tmp_path / "none" / "log"))
    assert caught.value.code == "log_unwritable"


def test_people_read_text() -> None:
    stream = io.StringIO()
    Log(stream, text=True).tell("disk_low", free_bytes=5)
    assert "disk_low" in stream.getvalue()
    assert "free_bytes=5" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_what_the_server_says_becomes_events(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Kept()
    book = Logbook(city.observer, Log(stream), every_s=3600)
    book.begin()
    server, loop = (logging.getLogger(name) for name in LOGGERS)
    monkeypatch.setattr(server, "level", logging.WARNING)  # another test's server may have set it
    for _ in range(500):
        server.warning("Invalid HTTP request received.")
    try:
        raise ZeroDivisionError(SECRET_METER)
    except ZeroDivisionError as error:
        server.error("Exception in ASGI application\n", exc_info=error)
        loop.error("something failed\nhandle: <%s>" % SECRET_SITE)  # noqa: UP031
    server.info("no matter")
    book.end()
    told = [line for line in lines(stream) if line["event"].startswith("server_")]
    assert [(line["event"], line["where"], line["said"], line["times"]) for line in told] == [
        ("server_warned", "uvicorn.error", "Invalid HTTP request received.", 500),
        ("server_failed", "uvicorn.error", "Exception in ASGI application", 1),
        ("server_failed", "asyncio", "something failed", 1),
    ]
    assert told[1]["error"] == "ZeroDivisionError"
    kept = Path(told[1]["remedy"].removeprefix("The details are in ").partition(";")[0])
    assert "Traceback" in kept.read_text()
    kept.unlink()
    assert SECRET_METER not in stream.getvalue()
    assert SECRET_SITE not in stream.getvalue()


def test_a_door_that_is_down_says_why(city: City) -> None:
    stream = Kept()
    city.watch.doors.append(lambda: [Door("mqtt-0", "down", {}, "ended with code 2 after start 1")])
    book = Logbook(city.observer, Log(stream), every_s=3600)
    book.begin()
    book.end()
    (told,) = [line for line in lines(stream) if line["event"] == "door_troubled"]
    assert (told["state"], told["reason"]) == ("down", "ended with code 2 after start 1")
