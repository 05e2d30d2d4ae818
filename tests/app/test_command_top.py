"""`top`: what a person sees of an owner at work, drawn from the document that scripts get."""

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console
from tests.program import environment

from quintet.app.answer import no_progress
from quintet.app.answers_status import status
from quintet.app.city import City
from quintet.app.command_top import age, drawn
from quintet.app.metrics_watch import Door
from quintet.app.requests import Status
from quintet.pipeline.grouping import Stats

from .seen_city import FIRST, Clock, commit, made
from .served import run


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    clock = Clock()
    city = made(tmp_path / "city", clock)
    clock.now = FIRST + timedelta(hours=5)
    yield city
    city.close()


def screen(city: City) -> str:
    console = Console(width=120, file=open(os.devnull, "w"), record=True)  # noqa: SIM115, PTH123
    with console.file:
        console.print(drawn(status(city, Status(), no_progress).read(), "/srv/city"))
        return console.export_text()


def test_a_city_that_nobody_serves_is_drawn(city: City) -> None:
    text = screen(city)
    assert "nobody serves this city" in text
    assert "/srv/city" in text


def test_doors_lateness_quarantine_and_commits_are_drawn(city: City) -> None:
    stats = city.watch.stats = Stats()
    stats.deliveries["http"], stats.accepted["http"], stats.waiting_rows, stats.failures = 3, 1234, 77, 9
    city.watch.doors.append(lambda: [Door("mqtt-1", "disconnected", {})])
    city.watch.listeners = lambda: 12
    commit(city, [("water", timedelta(), 5.0), ("nobody", timedelta(), 5.0)])
    lines = [" ".join(line.split()) for line in screen(city).splitlines()]
    text = "\n".join(lines)
    for part in (
        "http 1,234 0 0", "waiting readings 77", "failed commits 9", "mqtt-1: disconnected", "live listeners: 12",
        "water, register cumulative 2 1 100.0% 100.0% 0.0%", "unregistered_meter 1", "newest reading 5.0 h ago",
    ):  # fmt: skip
        assert part in text, part
    assert any(line.endswith("readings, test 1 0 1") for line in lines)


def test_ages_are_written_as_people_say_them() -> None:
    said = [age(seconds) for seconds in (None, 0.25, 119, 120, 7_200, 200_000, -3)]
    assert said == ["–", "0.2 s", "119.0 s", "2.0 min", "2.0 h", "2.3 d", "-3.0 s"]


def test_it_prints_once_where_stdout_is_no_terminal_and_draws_where_it_is_one(city: City, tmp_path: Path) -> None:
    folder = city.folder
    city.close()
    document = json.loads(run("top", "--city", folder, "--format", "json").stdout)
    assert document["committer"] == {}
    assert "newest batch" in run("top", "--city", folder).stdout
    ours, theirs = pty.openpty()
    program = [sys.executable, "-W", "error", "-m", "quintet.app", "top", "--city", str(folder), "--every", "0.2"]
    with subprocess.Popen(
        program, stdout=theirs, stderr=subprocess.PIPE, env=environment(TERM="xterm", COLUMNS="100", LINES="40")
    ) as process:
        os.close(theirs)
        seen, deadline = b"", time.monotonic() + 60
        while seen.count(b"quintet top") < 2:
            assert time.monotonic() < deadline, seen
            seen += os.read(ours, 65536)
        process.send_signal(2)
        while True:
            try:
                if not os.read(ours, 65536):
                    break
            except OSError:  # the other side is closed
                break
        assert process.wait(60) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""
    os.close(ours)
