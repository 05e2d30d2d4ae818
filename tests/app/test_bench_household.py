"""The bench of residents' pages runs on a hamlet: all is answered and heard, and each figure is there."""

import asyncio
import contextlib
from collections.abc import Iterator
from itertools import pairwise
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Any

import pytest

from quintet.app.bench_household import measure_household, quantiles, tell
from quintet.app.bench_household_city import QUARTER_US, Home, Plan
from quintet.app.bench_household_clients import NO_ANSWER, Asked, Asking, Fed, Heard, Task, due_between


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
    assert figures["opened_statuses"] == {200: 24}


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


ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
LET_GO = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"


async def asked_of(answers: list[bytes]) -> Asked:
    """Ask a server that gives these bytes for each request and ends the line where they are no answer alone."""
    left, ended = iter(answers), list[asyncio.Event]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said, end = ANSWER, asyncio.Event()
        ended.append(end)
        while said == ANSWER:
            try:
                await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            said = next(left)
            writer.write(said)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        end.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        plan = Plan([Home("c1/1/1", "c1", [], 0, "secret")], "", 0)
        asked = await Asking(Task("ask", port, plan, 1, 20.0, len(answers) / 20.0)).ask()
        await asyncio.gather(*(end.wait() for end in ended))
    return asked


def test_a_line_that_is_let_go_is_no_answer_and_is_not_used_again() -> None:
    found = asyncio.run(asked_of([ANSWER + LET_GO, ANSWER, ANSWER]))
    assert found.statuses == {200: 3}
    assert found.lines >= 2
    assert all(0 <= wait < 60_000 for wait in found.waits_ms)


def test_a_request_whose_line_ends_is_counted_as_unanswered() -> None:
    found = asyncio.run(asked_of([b"", ANSWER]))
    assert found.statuses == {NO_ANSWER: 1, 200: 1}
