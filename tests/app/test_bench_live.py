"""The bench of live push at a size for a test: everybody who reads hears every event, beside others who stall."""

from collections.abc import Iterator
from resource import RLIMIT_NOFILE, getrlimit, setrlimit

import pytest

from quintet.app.bench_live import Latency, Size, latency, run_live


@pytest.fixture(autouse=True)
def files_as_before() -> Iterator[None]:
    before = getrlimit(RLIMIT_NOFILE)
    yield
    setrlimit(RLIMIT_NOFILE, (before[0], getrlimit(RLIMIT_NOFILE)[1]))


def test_every_listener_hears_every_event_beside_stalled_ones() -> None:
    figures = run_live(Size(listeners=120, stalled=24, commits=4, apart_s=0.3))
    for stalled in (0, 24):
        assert figures[f"live_listeners_{stalled}_stalled"] == 120
        assert figures[f"live_heard_share_{stalled}_stalled"] == 1.0
        assert 0 < float(str(figures[f"live_p50_ms_{stalled}_stalled"])) < 60_000
    assert figures["live_dropped_0_stalled"] == 0


def test_latency_is_held_against_the_batch_that_an_event_speaks_of() -> None:
    durable = {7: 1_000_000, 8: 5_000_000}
    heard = {"8": [6_000_000, 9_000_000], "3": [1]}
    assert latency(durable, heard, 2) == Latency(2.5, 4.0, 4.0, 1.0)
    assert latency(durable, heard, 4).heard == 0.5
    assert latency(durable, {}, 4) == Latency(0.0, 0.0, 0.0, 0.0)
