"""Benchmark of the derivation: run as a program it prints the rates; as a test it runs small and looks at the sums."""

from fractions import Fraction
from time import process_time

import numpy as np
import pytest

from quintet.pipeline.derive import Channels, Evidence, derive
from quintet.terms.reading import ValueKind

QUARTER_US = 900_000_000
START_US = 1_700_006_400_000_000 // (96 * QUARTER_US) * 96 * QUARTER_US
KINDS = list(ValueKind)


def synthetic(m: int, rows: int, kinds: list[ValueKind], irregular: float) -> tuple[Evidence, Channels]:
    """Make m channels of the given kinds in turn, `rows` quarter-hours each, a share of them some seconds late."""
    rng = np.random.default_rng(7)
    kind = np.array([KINDS.index(kinds[n % len(kinds)]) for n in range(m)], np.uint8)
    uses = rng.integers(0, 200, (m, rows))
    totals = np.cumsum(uses, axis=1)
    sums = np.isin(kind, [KINDS.index(ValueKind.INTERVAL_SUM), KINDS.index(ValueKind.AVG_POWER)])
    late = np.where(rng.random(m * rows) < irregular, rng.integers(1, 600, m * rows), 0)
    # A reading at START_US closes the day before: a daily counter's rows begin a quarter-hour later.
    at_us = np.tile(START_US + QUARTER_US + np.arange(rows) * QUARTER_US, m) + late * 1_000_000
    evidence = Evidence(
        np.repeat(np.arange(m, dtype=np.int32), rows),
        at_us,
        np.where(sums[:, None], uses, totals).ravel(),
        np.full(m * rows, -2, np.int8),
        np.zeros(m * rows, np.int16),
        np.zeros(m * rows, np.bool_),
    )
    none = np.full(m, -1)
    channels = Channels(
        kind, np.full(m, QUARTER_US), np.zeros(m, np.int64), ["UTC"] * m, none.astype(np.int32), None, none,
        [Fraction(1_000_000)], [False],
    )  # fmt: skip
    return evidence, channels


CASES = {
    "interval sums": ([ValueKind.INTERVAL_SUM], 0.0),
    "regular registers": ([ValueKind.REGISTER_CUMULATIVE], 0.0),
    "both, in turn": ([ValueKind.INTERVAL_SUM, ValueKind.REGISTER_CUMULATIVE], 0.0),
    "registers, 1 % late": ([ValueKind.REGISTER_CUMULATIVE], 0.01),
    "registers, all irregular": ([ValueKind.REGISTER_CUMULATIVE], 1.0),
    "daily counters": ([ValueKind.REGISTER_DAILY_RESET], 0.0),
}


@pytest.mark.parametrize("name", CASES)
def test_a_small_run_accounts_for_everything(name: str) -> None:
    kinds, irregular = CASES[name]
    evidence, channels = synthetic(50, 96, kinds, irregular)
    derived = derive(evidence, channels)
    first, last = evidence.mantissa.reshape(50, 96)[:, 0], evidence.mantissa.reshape(50, 96)[:, -1]
    sums = np.where(
        channels.kind == KINDS.index(ValueKind.INTERVAL_SUM),
        evidence.mantissa.reshape(50, 96).sum(axis=1),
        last - first,
    )
    assert np.bincount(derived.channel, derived.value, 50).tolist() == (sums * 10_000).tolist()


def main() -> None:
    """Print million readings a second on one core, best of three, for 85,000 channels and a day of quarter-hours."""
    for name, (kinds, irregular) in CASES.items():
        evidence, channels = synthetic(85_000, 96, kinds, irregular)
        took = []
        for _ in range(3):
            begun = process_time()
            derive(evidence, channels)
            took.append(process_time() - begun)
        print(f"{name:26} {len(evidence) / min(took) / 1e6:6.1f}")


if __name__ == "__main__":
    main()
