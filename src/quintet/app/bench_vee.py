"""`quintet bench vee`: validation and estimation beside two ways of writing them in pandas, same rules, same data.

The peers stand under bench/peers/ of a checkout and are loaded from there: pandas is no part of the product. Both sides
start from amounts that lie ready in memory and end with qualities, values with their method, and what each rule found.
"""

import importlib.util
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from quintet.pipeline.derive import Evidence, derive
from quintet.pipeline.judge import judge
from quintet.pipeline.meaning import KINDS, Meaning
from quintet.pipeline.rows import SHARD_ROWS, WORKERS
from quintet.terms.errors import UsageError
from quintet.terms.period import HOUR_US, MINUTE_US
from quintet.terms.quality import qualities
from quintet.vee import Block, Findings, Rules, Traits, estimate, find_gaps, like_days, validate
from quintet.vee import rules as shipped_rules
from quintet.vee.block import Bytes, Ints, cells
from quintet.vee.order import shipped_order
from quintet.vee.rulebook import shipped

from .bench_vee_processes import Crowd

Put = Callable[[str, object], None]
PEERS = Path(__file__).parents[3] / "bench" / "peers"
JUDGED = ("V07", "V10", "V12_negative", "V12_reverse", "V16", "V18")
"""The rules on both sides: those that are judged as readings are committed."""
QUALITIES = ("-", "valid", "questionable", "rejected", "linear", "like_day")
"""What the peers' codes of a quality mean, by number."""
CADENCE_US = 15 * MINUTE_US
COLUMNS = 96
MIDNIGHT_US = 1_735_657_200_000_000
"""2025-01-01 in Seoul."""
ZONE = "Asia/Seoul"
UTILITIES = (
    ("electricity", "energy"),
    ("gas", "volume"),
    ("water", "volume"),
    ("heat", "energy"),
    ("hot_water", "volume"),
)
STEP = 10_000
"""Amounts are whole steps of 10 Wh or 10 mL."""
PLATE = 20_000_000


def table() -> Rules:
    """Give the rules that both sides judge by, as shipped."""
    return Rules({code: shipped()[code] for code in JUDGED})


def block_of(channels: int, days: int, seed: int = 5) -> Block:
    """Make random use with everything that the rules look for, and gaps of every length, in a few channels each."""
    rng = np.random.default_rng(seed)
    n = days * COLUMNS
    value = (rng.gamma(1.2, 300_000 / 1.2, (channels, n)) // STEP * STEP).astype(np.int64)
    present = np.ones(value.shape, np.bool_)
    some = max(channels // 50, min(channels // len(UTILITIES), 10))

    def places(longest: int, least: int = 1) -> Iterator[tuple[int, slice]]:
        utility = np.arange(some) % len(UTILITIES)
        rows = rng.choice(channels // len(UTILITIES), some, replace=False) * len(UTILITIES) + utility
        for row in rows.tolist():
            first = int(rng.integers(0, max(n - longest, 1)))
            yield row, slice(first, first + int(rng.integers(least, longest + 1)))

    for row, span in places(1):
        value[row, span] = 490 * STEP
    for row, span in places(2):
        value[row, span] = PLATE
    for row, span in places(40, 20):
        value[row, span] = 7 * STEP
    for row, span in places(3 * COLUMNS, 2 * COLUMNS):
        value[row, span] = 0
    for row, span in places(1):
        value[row, span] = -STEP
    for longest in (1, 8, 60, 3 * COLUMNS):
        for row, span in places(min(longest, n)):
            present[row, span] = False
    value[~present] = 0
    arrays = (value, np.ones(value.shape, np.uint8), present)
    return Block.of(MIDNIGHT_US, CADENCE_US, np.arange(channels, dtype=np.int32), arrays, ZoneInfo(ZONE))


def traits_of(channels: int) -> Traits:
    """Describe channels of five utilities in turn."""
    words = [UTILITIES[channel % len(UTILITIES)] for channel in range(channels)]
    plate = np.full(channels, PLATE, np.int64)
    kind = ["register_cumulative"] * channels
    return Traits.of([w[0] for w in words], ["consumption"] * channels, [w[1] for w in words], plate, kind)


def judged(block: Block, traits: Traits, rules: Rules) -> tuple[Ints, Bytes, Findings]:
    """Judge and fill a block as the pipeline does: values, qualities with the method of each estimate, findings."""
    quality, findings = validate(block, traits, rules)
    known = replace(block, quality=quality)
    value, methods = estimate(known, find_gaps(known), None, like_days())
    return value, methods, findings


def in_threads(block: Block, traits: Traits, rules: Rules, workers: int) -> int:
    """Judge and fill a block in shards of channels; gives the findings counted."""
    cut = [rows for rows in np.array_split(np.arange(len(block.channels)), workers) if len(rows)]

    def one(rows: Ints) -> int:
        return len(judged(part_of(block, rows), traits_at(traits, rows), rules)[2])

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(one, cut))


def judged_as_shipped(block: Block, traits: Traits) -> tuple[Ints, Bytes, Findings]:
    """Judge and fill a block by the rules of `table`: what a process is told to do, by name."""
    return judged(block, traits, table())


def in_processes(put: Put, block: Block, traits: Traits) -> float:
    """Judge and fill a block in processes that stand ready, one a core; gives the seconds of the quickest run."""
    with TemporaryDirectory() as folder:
        crowd = Crowd(Path(folder), block, traits, judged_as_shipped, WORKERS)
        try:
            took = best(5, crowd.run)
        finally:
            crowd.close()
    put(f"quintet_{WORKERS}_processes_million_s", round(block.value.size / took / 1e6, 2))
    return took


def part_of(block: Block, rows: Ints) -> Block:
    """Give some neighbouring rows of a block, sharing its memory."""
    own = slice(int(rows[0]), int(rows[-1]) + 1)
    arrays = {name: getattr(block, name)[own] for name in ("channels", "value", "quality", "present")}
    return replace(block, **arrays)


def traits_at(traits: Traits, rows: Ints) -> Traits:
    """Give the traits of some rows."""
    return replace(traits, kind_of=traits.kind_of[rows], plate_max_per_hour=traits.plate_max_per_hour[rows])


# The peers.


def peer(name: str) -> Any:
    """Load a peer's module from the checkout; raises UsageError where it, or pandas, is absent."""
    path = PEERS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"quintet_peer_{name}", path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise UsageError(
            "the peers stand in a checkout only.", code="no_peers", place=str(path), remedy="Run it from a checkout."
        )
    if importlib.util.find_spec("pandas") is None:
        raise UsageError("pandas is not installed.", code="no_peers", remedy='Install it: pip install "pandas>=3".')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def for_peers(pandas: Any, block: Block, traits: Traits, rules: Rules) -> tuple[Any, Any, dict[str, Any]]:
    """Give a block as pandas has it: the frame, what is known of each meter, the settings."""
    alike = like_days()
    start = pandas.Timestamp(block.start_us, unit="us", tz="UTC").tz_convert(ZONE).tz_localize(None)
    index = pandas.date_range(start, periods=len(block.day_of), freq="15min")
    frame = pandas.DataFrame(np.where(block.present, block.value, np.nan).T, index, block.channels)
    meters = pandas.DataFrame(index=block.channels)
    kinds = [traits.kinds[number] for number in traits.kind_of.tolist()]
    found = [{code: rules[code].settings(kind) for code in JUDGED} for kind in kinds]
    for code in JUDGED:
        meters[code] = [one[code] is not None for one in found]
    meters["plate"] = traits.plate_max_per_hour * CADENCE_US / HOUR_US
    meters["floor"] = [float((one["V07"] or {"floor": Fraction(0)})["floor"] * CADENCE_US / HOUR_US) for one in found]
    weekdays = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
    settings = {
        "ratio": float((found[0]["V07"] or {})["ratio"]),
        "times": int((found[0]["V18"] or {})["times"]),
        "line": int(alike.line_hours * HOUR_US // CADENCE_US),
        "most": alike.most,
        "step": pandas.Timedelta(minutes=15),
        "alike": [alike.alike[day] for day in weekdays],
    }
    return frame, meters, settings


def differences(block: Block, traits: Traits, rules: Rules, name: str) -> dict[str, int]:
    """Count the intervals on which a peer and Quintet differ: by rule, in quality, in value."""
    value, quality, findings = judged(block, traits, rules)
    module = peer(name)
    hits, their_value, their_quality = module.judge(*for_peers(module.pd, block, traits, rules))
    out: dict[str, int] = {}
    reject = {code for code in JUDGED if rules[code].severity == "reject"}
    rejected = cells_of(findings, {rules.index[code] for code in reject}, block.value.shape)
    for code in JUDGED:
        own = cells_of(findings, {rules.index[code]}, block.value.shape) & block.present
        own &= ~rejected if code not in reject else True
        out[code] = int(np.count_nonzero(own != hits[code].to_numpy().T))
    out["hits"] = len(findings)
    codes = {one.code: one.id for one in qualities().values()}
    theirs = np.array([codes.get(code, 0) for code in QUALITIES], np.uint8)[their_quality.to_numpy().T]
    final = np.where((quality == 0) & block.present, codes["rejected"], quality)
    out["quality"] = int(np.count_nonzero(theirs != final))
    counted = (quality > 0) & (final != codes["rejected"])
    out["value"] = int(np.count_nonzero(their_value.to_numpy().T[counted] != value[counted]))
    return out


def cells_of(findings: Findings, rules: set[int], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Mark the intervals that some rules object to."""
    out = np.zeros(shape, np.bool_)
    own = np.isin(findings.rule, list(rules))
    first = findings.column_first[own]
    out[cells(findings.row[own], first, findings.column_last[own] - first + 1)] = True
    return out


# From raw to final.


def evidence_of(channels: int) -> tuple[Evidence, Meaning]:
    """Make a day of readings of registers and of interval sums in turn, and what the registry says of them."""
    rng = np.random.default_rng(7)
    rows = COLUMNS + 1
    use = (rng.gamma(1.2, 300 / 1.2, (channels, rows))).astype(np.int64)
    register = np.arange(channels) % 2 == 0
    use[register] = np.cumsum(use[register], axis=1)
    at = np.tile(MIDNIGHT_US + CADENCE_US * np.arange(rows), channels)
    kind = np.where(register, kind_number("register_cumulative"), kind_number("interval_sum")).astype(np.uint8)
    words = [UTILITIES[channel % len(UTILITIES)] for channel in range(channels)]
    unit = ["Wh" if quantity == "energy" else "L" for _, quantity in words]
    meaning = Meaning(
        kind, np.full(channels, CADENCE_US), np.zeros(channels, np.int64), np.full(channels, 9, np.int32),
        np.full(channels, PLATE, np.int64), [ZONE] * channels, [Fraction(1)] * channels,
        [word[0] for word in words], ["consumption"] * channels, [word[1] for word in words], unit, shipped_order(),
    )  # fmt: skip
    count = channels * rows
    evidence = Evidence(
        np.repeat(np.arange(channels, dtype=np.int32), rows), at, use.ravel(), np.zeros(count, np.int8),
        np.repeat(np.arange(channels) % len(UTILITIES), rows).astype(np.int16), np.zeros(count, np.bool_),
    )  # fmt: skip
    return evidence, meaning


def kind_number(value_kind: str) -> int:
    """Give a value kind's number."""
    return [kind.value for kind in KINDS].index(value_kind)


def raw_to_final(evidence: Evidence, meaning: Meaning, rules: Rules, workers: int) -> int:
    """Derive and judge readings in shards of channels, as a commit does; gives the intervals counted."""
    rows = COLUMNS + 1
    count = len(evidence) // rows
    each = max(min(SHARD_ROWS // rows, -(-count // workers)), 1)
    units = ["Wh" if quantity == "energy" else "L" for _, quantity in UTILITIES]

    def one(low: int) -> int:
        high = min(low + each, count)
        numbers = np.arange(low, high, dtype=np.int32)
        part = evidence.take(slice(low * rows, high * rows))
        part = replace(part, channel=(part.channel - low).astype(np.int32))
        derived = derive(part, meaning.channels(numbers, units))
        return len(judge(derived, meaning, numbers, rules, ZoneInfo(ZONE)).rows)

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(one, range(0, count, each)))


# The figures.


def measure_vee(put: Put, *, small: bool) -> None:
    """Measure everything once; `small` shows that it works."""
    rules = table()
    channels, days = (60, 8) if small else (2_000, 21)
    block, traits = block_of(channels, days), traits_of(channels)
    count = block.value.size
    put("intervals", count)
    put("rules", ", ".join(JUDGED))
    own = best(3, lambda: judged(block, traits, rules))
    put("quintet_one_core_million_s", round(count / own / 1e6, 2))
    for threads in (2, WORKERS):
        took = best(3, lambda threads=threads: in_threads(block, traits, rules, threads))
        put(f"quintet_{threads}_threads_million_s", round(count / took / 1e6, 2))
    own_all = in_processes(put, block, traits)
    for name, share in (("vee_wide", 1), ("vee_meters", 1 if small else 10)):
        some = np.arange(channels // share)
        part, own_traits = part_of(block, some), traits_at(traits, some)
        put(f"{name}_differs", sum(n for key, n in differences(part, own_traits, rules, name).items() if key != "hits"))
        module = peer(name)
        given = for_peers(module.pd, part, own_traits, rules)
        took = best(1 if name == "vee_meters" else 2, lambda module=module, given=given: module.judge(*given))
        rate = part.value.size / took
        put(f"{name}_million_s", round(rate / 1e6, 3))
        put(f"{name}_quintet_is_x_one_core", round(count / own / rate, 1))
        put(f"{name}_quintet_is_x_{WORKERS}_cores", round(count / own_all / rate, 1))
    measure_day(put, rules, 1_000 if small else 100_000)
    for shards in (1, 2, 4):
        put(f"peak_mb_{shards}_shards", peak_mb(shards, 100 if small else 2_000, rules))


def measure_day(put: Put, rules: Rules, channels: int) -> None:
    """Measure one day of a city's channels: judged and filled, and all the way from raw readings."""
    block, traits = block_of(channels, 1), traits_of(channels)
    took = best(3, lambda: in_threads(block, traits, rules, WORKERS))
    put("a_day_validated_and_filled_million_s", round(block.value.size / took / 1e6, 2))
    evidence, meaning = evidence_of(channels)
    every = shipped_rules()
    took = best(3, lambda: raw_to_final(evidence, meaning, every, WORKERS))
    put(f"raw_to_final_{channels}_channels_day_s", round(took, 2))
    put("raw_to_final_million_s", round(len(evidence) / took / 1e6, 2))


def best(times: int, work: Callable[[], object]) -> float:
    """Give the seconds of the quickest of some runs."""
    took: list[float] = []
    for _ in range(times):
        began = perf_counter()
        work()
        took.append(perf_counter() - began)
    return min(took)


def peak_mb(shards: int, channels: int, rules: Rules) -> float:
    """Give the most memory held at once while so many shards of channels are judged one after another."""
    traits = traits_of(channels)
    tracemalloc.start()
    for number in range(shards):
        judged(block_of(channels, 7, seed=number), traits, rules)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return round(peak / 1e6, 1)
