"""A demo's stream: what is due and not yet sent, across midnight, through the real door, ended with its demo."""

import json
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from tests.program import environment

from quintet.app.demo_stream import gathered, upcoming
from quintet.simulate import CityPlan, simulate_city
from quintet.simulate.stream import Traffic

from .served import document, wait_for

PLAN = CityPlan(start=date(2026, 1, 12), days=4, households=20)


@pytest.mark.parametrize("quarters", [2, 40, 95, 96, 97])
def test_all_that_is_due_after_a_moment_is_given_once_and_in_order_over_midnight(quarters: int) -> None:
    traffic = Traffic(simulate_city(PLAN))
    since_us = int(PLAN.edges(PLAN.day(1))[0]) + quarters * 900_000_000
    given = list(upcoming(traffic, PLAN, since_us))
    expected = [one for day in range(4) for one in traffic.sendings(PLAN.day(day)) if one.due_us > since_us]
    assert all(one.due_us <= other.due_us for one, other in pairwise(given))
    assert Counter((one.due_us, one.parcel.name.tobytes()) for one in given) == Counter(
        (one.due_us, one.parcel.name.tobytes()) for one in expected
    )
    assert {int(one.due_us > int(PLAN.edges(PLAN.day(2))[0])) for one in given} >= {1}


def test_sendings_are_gathered_to_one_parcel() -> None:
    traffic = Traffic(simulate_city(PLAN))
    sendings = traffic.sendings(PLAN.day(0) + timedelta(days=1))[:5]
    assert len(gathered(sendings)) == sum(len(one.parcel) for one in sendings)


def test_a_demo_streams_through_its_door_and_leaves_no_process(tmp_path: Path) -> None:
    city = tmp_path / "city"
    words = ["demo", "--households", "40", "--days", "1", "--dir", str(city)]
    program = [sys.executable, "-W", "error", "-m", "quintet.app", *words]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as demo:
        assert demo.stdout is not None
        assert demo.stdout.readline().startswith("http://")
        children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children")
        wait_for(lambda: streamed(city) > 0, "nothing came through the door")
        child = Path("/proc") / children.read_text().split()[-1]
        demo.terminate()
        _, err = demo.communicate(timeout=60)
        assert demo.returncode == 0, err
        assert "the door answered" not in err
        assert not child.exists()


def test_a_demo_that_is_killed_takes_its_stream_along(tmp_path: Path) -> None:
    said = {
        "address": "http://127.0.0.1:9/", "token": "none", "start": "2026-01-12", "days": 1, "households": 20,
        "tz": "Asia/Seoul", "since_us": 0,
    }  # fmt: skip
    program = [sys.executable, "-W", "error", "-m", "quintet.app.demo_stream"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, env=environment()) as stream:
        assert stream.stdin is not None
        stream.stdin.write(json.dumps(said).encode() + b"\n")
        stream.stdin.flush()
        assert stream.poll() is None
        stream.stdin.close()
        assert stream.wait(60) == 0


def streamed(city: Path) -> int:
    committer = document("top", "--city", city)["committer"]
    assert isinstance(committer, dict)
    return committer.get("accepted", {}).get("http", 0)
