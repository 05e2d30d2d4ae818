"""The benchmark runs: a small one, not timed."""

from .bench_registry import measure


def test_the_benchmark_runs() -> None:
    assert list(measure(50)) == ["register", "believed", "snapshot", "channels", "placements", "register again", "sync"]
