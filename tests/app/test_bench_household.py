"""The bench of residents' pages runs on a hamlet: all is answered and heard, and each figure is there."""

from collections.abc import Iterator
from itertools import pairwise
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Any

import pytest

from quintet.app.bench_household import measure_household, quantiles, tell
from quintet.app.bench_household_city import QUARTER_US, Home
from quintet.app.bench_household_clients import Fed, Heard, due_between


@pytest.fixture(autouse=True)
def files_as_before() -> Iterator[None]:
    before = getrlimit(RLIMIT_NOFILE)
    yield
    setrlimit(RLIMIT_NOFILE, (before[0], getrlimit(RLIMIT_NOFILE)[1]))


def test_the_bench_measures_a_hamlet() -> None:
    figures: dict[str, Any] = {}
    measure_household(figures.__setitem__, small=True)
    assert figures["now_statuses"] == {200: 80}
    assert figures["now_again_statuses"].keys() <= {200, 304}
    assert figures["now_again_statuses"][304] > 0
    assert figures["ingest_refused"] == 0
    assert figures["now_bytes_each"] > 800
    assert 0 < figures["now_ms_p50_p99_p999"][0] <= figures["now_ms_p50_p99_p999"][1]
    assert figures["bills_bills"] == 150


def test_each_home_sends_each_quarter_hour_once() -> None:
    homes = [Home(f"c1/1/{number}", "c1", [], QUARTER_US * number // 3) for number in range(3)]
    start, steps = 10 * QUARTER_US, [0, 1, 299, 300, 301, 600, 900, 901, 1800]
    found: list[tuple[int, int]] = []
    for after, until in pairwise(steps):
        found += due_between(homes, start + after * 1_000_000, start + until * 1_000_000)
    # the readings of a quarter hour are due at its end and as much later as the home's lag
    expected = [(0, 10), (0, 11), (1, 9), (1, 10), (2, 9), (2, 10)]
    assert sorted(found) == [(home, slot * QUARTER_US) for home, slot in expected]


def test_waiting_counts_from_the_sending_of_what_was_heard_first() -> None:
    figures: dict[str, Any] = {}
    sent = [(0, "2026-11-23T00:00:00+00:00", 2_000_000), (1, "2026-11-23T00:15:00+00:00", 3_000_000),
            (2, "2026-11-23T00:15:00+00:00", 4_000_000)]  # fmt: skip
    heard = [(0, "2026-11-23T09:00:00+09:00", 7_000_000), (0, "2026-11-23T09:00:00+09:00", 9_000_000),
             (1, "2026-11-23T09:15:00+09:00", 13_000_000)]  # fmt: skip
    tell(figures.__setitem__, Fed(sent, [1.0], 15, 0, 0.1), Heard(heard, 1_000_000, 0.1))
    assert figures["live_ms_p50_p99_p999"][0] == 7.5
    assert figures["live_heard_share"] == round(2 / 3, 4)
    assert quantiles([]) == [0.0, 0.0, 0.0]
