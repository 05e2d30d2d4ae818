"""The benchmark runs and counts what it makes."""

from .bench_readings import measure


def test_the_benchmark_counts_the_readings() -> None:
    found = measure(20, 2, 2)
    assert found.readings > 20 * 5 * 96 * 2 * 0.9
    assert found.rate > 0
