"""The benchmark runs, on a small city, and measures every rule."""

import runpy
from pathlib import Path

from quintet.vee.checks import CHECKS


def test_the_benchmark_runs_and_measures_every_rule() -> None:
    bench = runpy.run_path(str(Path(__file__).with_name("bench_vee.py")))
    figures = bench["main"](50, 20)
    assert set(figures["validate, million intervals/s"]) == {"all", *CHECKS}
    assert all(figure > 0 for name, figure in figures.items() if name.endswith(", s"))
