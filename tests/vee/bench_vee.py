"""How fast blocks are judged and gaps are filled: `python tests/vee/bench_vee.py [channels]`, one core.

Every fifth channel is another utility, read each quarter hour for a day; the second figure has every household above
the spike rule's floor. Prints million intervals a second for all rules together and each alone, and seconds for gaps.
"""

import sys
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from quintet.terms.period import MINUTE_US
from quintet.vee import Block, Gaps, Traits, estimate, rules, validate
from quintet.vee.checks import CHECKS
from quintet.vee.validation import chunks, kinds_of, slab_of

CADENCE_US = 15 * MINUTE_US
MIDNIGHT_US = 1_735_657_200_000_000  # 2025-01-01 in Seoul
COLUMNS = 96
UTILITIES = [
    ("electricity", "energy"),
    ("gas", "volume"),
    ("water", "volume"),
    ("heat", "energy"),
    ("hot_water", "volume"),
]


def block(channels: int, days: int, before: int = 0, mean: float = 144_000) -> Block:
    """Make random use in steps of 10 Wh or 10 mL, `before` days before the first of January."""
    rng = np.random.default_rng(5)
    value = (rng.gamma(1.2, mean / 1.2, (channels, days * COLUMNS)) // 10_000 * 10_000).astype(np.int64)
    arrays = (value, np.ones(value.shape, np.uint8), np.ones(value.shape, np.bool_))
    start = MIDNIGHT_US - before * COLUMNS * CADENCE_US
    return Block.of(start, CADENCE_US, np.arange(channels, dtype=np.int32), arrays, ZoneInfo("Asia/Seoul"))


def traits(channels: int) -> Traits:
    """Describe channels of five utilities with a plate of 20 kW or 20 m3/h."""
    words = [UTILITIES[channel % 5] for channel in range(channels)]
    plate = np.full(channels, 20_000_000, np.int64)
    kind = ["register_cumulative"] * channels
    return Traits.of([w[0] for w in words], ["consumption"] * channels, [w[1] for w in words], plate, kind)


def validation(channels: int, mean: float) -> dict[str, float]:
    """Measure million intervals a second: all rules, and each rule alone over slabs that are already made."""
    judged, known, table = block(channels, 1, mean=mean), traits(channels), rules()
    begin = perf_counter()
    validate(judged, known, table)
    out = {"all": judged.value.size / (perf_counter() - begin) / 1e6}
    spent = dict.fromkeys(CHECKS, 0.0)
    seen = dict.fromkeys(CHECKS, 0)
    for kind, rows in kinds_of(known):
        settings = {code: table[code].settings(kind) for code in CHECKS}
        for chunk in chunks(rows, COLUMNS):
            slab = slab_of(judged, known, chunk, judged.whole_days())
            for code, one in settings.items():
                if one is not None:
                    begin = perf_counter()
                    CHECKS[code].function(slab, one)
                    spent[code] += perf_counter() - begin
                    seen[code] += slab.value.size
    return out | {code: seen[code] / spent[code] / 1e6 for code in CHECKS if seen[code]}


def estimation(gaps: int, length: int, known: bool) -> float:
    """Measure seconds for one gap in each of so many channels, with six weeks of history."""
    history, today = block(gaps, 42, before=42), block(gaps, 1)
    first = np.random.default_rng(6).integers(1, COLUMNS - length, gaps).astype(np.int32)
    column = np.arange(COLUMNS)
    today.present[(column >= first[:, None]) & (column < first[:, None] + length)] = False
    rows, lengths = np.arange(gaps, dtype=np.int32), np.full(gaps, length, np.int32)
    spans = Gaps(rows, first, lengths, np.full(gaps, 7_654_321, np.int64), np.full(gaps, known))
    begin = perf_counter()
    _, quality = estimate(today, spans, history)
    spent = perf_counter() - begin
    if not quality.all():
        raise SystemExit("a gap was left open")
    return spent


def main(channels: int, gaps: int) -> dict[str, Any]:
    """Measure everything once."""
    return {
        "validate, million intervals/s": validation(channels, 144_000),
        "the same, all above the floor": validation(channels, 1_000_000),
        f"{gaps} gaps of 90 min, s": estimation(gaps, 6, known=False),
        f"{gaps} gaps of 90 min with total, s": estimation(gaps, 6, known=True),
        f"{gaps} gaps of 20 h, s": estimation(gaps, 80, known=False),
        f"{gaps} gaps of 20 h with total, s": estimation(gaps, 80, known=True),
    }


if __name__ == "__main__":
    for name, figure in main(int(sys.argv[1]) if len(sys.argv) > 1 else 85_000, 10_000).items():
        figures = figure if isinstance(figure, dict) else {"": figure}
        print(name, "  ".join(f"{part} {number:.2f}".strip() for part, number in figures.items()))
