"""The bench of live commits runs, and measures what it says."""

from pathlib import Path
from typing import Any

from quintet.app.bench_commits import LONG, SHORT, SMALL, commits
from quintet.app.bench_days import write_days


def test_every_size_is_measured_both_ways(tmp_path: Path) -> None:
    write_days(tmp_path, 12, 3)
    figures: dict[str, Any] = dict(commits(tmp_path, small=True))
    named = [("short", SHORT), ("long", LONG), ("long_closed_day", LONG)]
    for name, sizes in named:
        for size, _ in sizes:
            p50, p99 = figures[f"{name}_{max(size // SMALL, 1)}_ms_p50_p99"]
            assert 0 < p50 <= p99
