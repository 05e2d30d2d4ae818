"""What many channels at once must not do: mind each other, mind their order, or mind what is far away."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from quintet.pipeline.derive import Channels, Derived, Evidence, derive
from quintet.terms.reading import ValueKind

KINDS = list(ValueKind)
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
T0 = 1_700_006_400_000_000 // DAY_US * DAY_US
CONTEXT_READINGS = 40
I64 = npt.NDArray[np.int64]


def faulty(kind: ValueKind, rng: np.random.Generator, count: int) -> tuple[I64, I64]:
    """Give moments and values of one channel with gaps, shifted stamps, zeros, strays and a setback, where apt."""
    at = T0 + np.arange(count) * HOUR_US
    uses = rng.integers(0, 1000, count)
    values = uses
    if kind is ValueKind.REGISTER_CUMULATIVE:
        values = np.cumsum(uses) + 100_000
        values[rng.integers(20, count)] = 0
        values[rng.integers(20, count)] += rng.integers(-5000, 5000)
        values[rng.integers(20, count) :] -= rng.integers(0, 90_000)
    if kind is ValueKind.REGISTER_DAILY_RESET:
        day = (np.arange(count) - 1) // 24
        total = np.cumsum(uses)
        values = total - np.array([total[day == one].min() for one in range(-1, day.max() + 1)])[day + 1]
        stuck = rng.integers(24, count - 12)
        values[stuck : stuck + 12] = values[stuck]
    keep = rng.random(count) > 0.05
    odd = rng.random(count) < 0.1
    at = at + np.where(odd, rng.integers(1, 3500, count) * 1_000_000, 0)
    return at[keep], values[keep].astype(np.int64)


def city(kinds: list[ValueKind], seed: int, count: int = 200) -> tuple[Evidence, Channels]:
    series = [faulty(kind, np.random.default_rng((seed, n)), count) for n, kind in enumerate(kinds)]
    sizes = [len(at) for at, _ in series]
    channel = np.repeat(np.arange(len(kinds), dtype=np.int32), sizes)
    rows = len(channel)
    doubtful = np.random.default_rng(seed).random(rows) < 0.02
    evidence = Evidence(
        channel,
        np.concatenate([at for at, _ in series]),
        np.concatenate([values for _, values in series]),
        np.zeros(rows, np.int8),
        np.zeros(rows, np.int16),
        doubtful,
    )
    m = len(kinds)
    channels = Channels(
        np.array([KINDS.index(kind) for kind in kinds], np.uint8),
        np.full(m, HOUR_US),
        np.zeros(m, np.int64),
        ["UTC"] * m,
        np.full(m, 6, np.int32),
        None,
        np.full(m, -1),
        [Fraction(1000)],
        [False],
    )
    return evidence, channels


def rows(derived: Derived, channel: int) -> tuple[list[tuple[object, ...]], ...]:
    """Give everything that is said about one channel, without its number."""
    mine, gap, named = (part.channel == channel for part in (derived, derived.gaps, derived.findings))
    columns = (
        (derived.start_us[mine], derived.value[mine], derived.quality[mine]),
        (derived.gaps.start_us[gap], derived.gaps.slots[gap], derived.gaps.total[gap], derived.gaps.has_total[gap]),
        (derived.findings.at_us[named], derived.findings.rule[named]),
    )
    return tuple(list(zip(*(one.tolist() for one in lot), strict=True)) for lot in columns)


lots = st.lists(st.sampled_from(KINDS), min_size=1, max_size=6)


@given(lots, st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_order_of_channels_is_irrelevant(kinds: list[ValueKind], seed: int, random: object) -> None:
    evidence, channels = city(kinds, seed)
    order = np.random.default_rng(seed).permutation(len(kinds))
    place = np.argsort(order).astype(np.int32)
    moved = replace(evidence, channel=place[evidence.channel])
    moved = moved.take(np.lexsort((moved.at_us, moved.channel)))
    straight, shuffled = derive(evidence, channels), derive(moved, replace(channels, kind=channels.kind[order]))
    for channel in range(len(kinds)):
        assert rows(straight, channel) == rows(shuffled, int(place[channel]))


@given(lots, st.integers(0, 10**6))
def test_a_poisoned_channel_leaves_its_neighbours_unchanged(kinds: list[ValueKind], seed: int) -> None:
    evidence, channels = city(kinds, seed)
    victim = seed % len(kinds)
    rng = np.random.default_rng(seed)
    worst = rng.choice([-(2**62), -1, 0, 1, 10**15, 2**62], len(evidence))
    hit = evidence.channel == victim
    exponent = np.where(hit, rng.integers(-22, 15, len(evidence)), 0).astype(np.int8)
    poisoned = replace(evidence, mantissa=np.where(hit, worst, evidence.mantissa), exponent=exponent)
    clean, dirty = derive(evidence, channels), derive(poisoned, channels)
    for channel in range(len(kinds)):
        if channel != victim:
            assert rows(clean, channel) == rows(dirty, channel)


@given(st.sampled_from(KINDS), st.integers(0, 10**6), st.integers(0, 150), st.integers(1, 60))
def test_a_window_with_its_context_gives_what_everything_gives(
    kind: ValueKind, seed: int, begin: int, length: int
) -> None:
    evidence, channels = city([kind], seed)
    begin = min(begin, len(evidence) - 2)
    end = min(begin + length, len(evidence) - 1)
    low, high = (int(evidence.at_us[row]) // HOUR_US * HOUR_US for row in (begin, end))
    near = slice(max(0, begin - CONTEXT_READINGS - 48), end + CONTEXT_READINGS + 48)
    whole, part = rows(derive(evidence, channels), 0), rows(derive(evidence.take(near), channels), 0)
    for everything, window in zip(whole, part, strict=True):
        inside = [[row for row in lot if low <= int(str(row[0])) < high] for lot in (everything, window)]
        assert inside[0] == inside[1]


@given(lots, st.integers(0, 10**6))
def test_rows_are_sorted_unique_and_clear_of_gaps(kinds: list[ValueKind], seed: int) -> None:
    evidence, channels = city(kinds, seed)
    derived = derive(evidence, channels)
    for channel in range(len(kinds)):
        starts = derived.start_us[derived.channel == channel]
        assert (np.diff(starts) > 0).all()
        assert not (starts % HOUR_US).any()
        mine = derived.gaps.channel == channel
        slots = zip(derived.gaps.start_us[mine].tolist(), derived.gaps.slots[mine].tolist(), strict=True)
        missing = {start + n * HOUR_US for start, count in slots for n in range(count)}
        assert missing.isdisjoint(starts.tolist())
        if kinds[channel] is not ValueKind.EVENT_SUM:
            assert len(missing) + len(starts) >= (int(starts[-1]) - int(starts[0])) // HOUR_US
