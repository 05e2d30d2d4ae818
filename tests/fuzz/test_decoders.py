"""Whatever bytes come, a decoder gives a payload or refuses them by name: hypothesis, and atheris, short and long."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

FOLDER = Path(__file__).parent
LONG = "QUINTET_KILLS" in os.environ
"""`make soak` says how often to repeat; the fuzzer then runs a million times, or as QUINTET_FUZZ says."""
RUNS = int(os.environ.get("QUINTET_FUZZ", "1000000" if LONG else "400"))
REPLAYED = max(RUNS, 1_000_000) if LONG else 800
LONGEST_S = 1.0
MOST_GROWTH = 1.05


def load(name: str) -> Any:
    """Load a module that stands beside this one, under the name by which the fuzzing program knows it too."""
    spec = spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fuzzed = load("decoders")
NAMES = sorted(fuzzed.DECODERS)
each = pytest.mark.parametrize("name", NAMES)
few = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

words = st.one_of(st.text(max_size=6), st.sampled_from(["s", "m", "kWh", "NaN", "1e400", "\u0000", " ", fuzzed.AT]))
numbers = st.one_of(
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1.5, 1e15, 1e308, 2**53 + 1, fuzzed.NOW_US, 10**400]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, words)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=8,
)
names = st.one_of(
    st.sampled_from(["site", "meter", "ts_utc", "ts_us", "value", "unit", "commodity", "sent_at", "sent_at_us"]), words
)
rows = st.one_of(
    st.dictionaries(names, anything, max_size=9),
    st.fixed_dictionaries(
        {"site": words, "meter": words, "value": scalars},
        optional={"ts_utc": words, "ts_us": numbers, "sent_at": words, "unit": words, "x": anything},
    ),
)
columns = st.dictionaries(names, st.one_of(scalars, st.lists(anything, min_size=2, max_size=2)), max_size=8)
near = st.one_of(
    st.lists(st.one_of(rows, anything), max_size=4),
    st.builds(lambda found: {"readings": found}, st.one_of(st.lists(rows, max_size=4), anything)),
    st.builds(lambda found: {"columns": found}, st.one_of(columns, anything)),
    st.builds(lambda found, rest: {**rest, "meters": found}, st.one_of(columns, anything), columns),
    rows,
    st.fixed_dictionaries({"ENERGY": anything, "Time": scalars, "energy": anything, "last_seen": scalars}),
)


def test_every_example_is_read() -> None:
    for name, decoder in fuzzed.DECODERS.items():
        assert decoder.examples, name
        assert any((found := fuzzed.check(decoder, data)) and found.rows for data in decoder.examples), name


@each
@few
@given(data=st.binary(max_size=300))
@example(b"")
@example(b"\xff\xff\xff\xff\xff\xff\xff\x7f")
@example(b"[" * 100_000)
@example(b'{"readings":' * 20_000)
@example(b'{"columns":{"value":[' + b"1" * 5000 + b'],"meter":["a"],"site":"s","ts_us":[1]}}')
@example(b'[{"site":"\\ud800","meter":"m","ts_us":1,"value":1}]')
@example(b'[{"site":"s","meter":"m","ts_us":1,"value":NaN}]')
@example(b'[{"site":"\xff","meter":"m","ts_us":1,"value":1}]')
def test_any_bytes(name: str, data: bytes) -> None:
    fuzzed.check(fuzzed.DECODERS[name], data)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("arrow", "gzip", "zstd")])
@few
@given(value=near, data=st.data())
def test_almost_right_payloads(name: str, value: object, data: st.DataObject) -> None:
    if name == "msgpack":
        try:
            text = msgspec.msgpack.encode(value)
        except OverflowError:  # MessagePack has no integers beyond 64 bits
            return
    else:
        text = json.dumps(value, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "replace")
    fuzzed.check(fuzzed.DECODERS[name], text)


@each
@few
@given(data=st.data())
def test_examples_with_flipped_bits_and_torn_ends(name: str, data: st.DataObject) -> None:
    payload = bytearray(data.draw(st.sampled_from(fuzzed.DECODERS[name].examples)))
    for position in data.draw(st.lists(st.integers(0, len(payload) * 8 - 1), max_size=4)):
        payload[position // 8] ^= 1 << position % 8
    fuzzed.check(fuzzed.DECODERS[name], bytes(payload[: data.draw(st.integers(0, len(payload)))]))
    fuzzed.check(fuzzed.DECODERS[name], bytes(payload))


@few
@given(value=near)
def test_json_and_msgpack_say_the_same(value: object) -> None:
    """Two formats, two decoders, one meaning; numbers that only one of them can write are left out."""
    try:
        packed, text = msgspec.msgpack.encode(value), msgspec.json.encode(value)
    except OverflowError:
        return
    one, other = (fuzzed.check(fuzzed.DECODERS[name], data) for name, data in (("json", text), ("msgpack", packed)))
    if one is None or other is None:
        assert one is other
        return
    assert one.readings.equals(other.readings)
    for column in ("row", "site", "meter", "code"):
        assert one.refused[column].to_pylist() == other.refused[column].to_pylist()
    assert one.shapes == other.shapes


def test_a_long_payload_of_bad_rows_takes_no_time_beyond_its_length() -> None:
    spent: list[float] = []
    for count in (500, 4000):
        bad = json.dumps([{"site": "s", "value": "x" * 10, "meter": number} for number in range(count)]).encode()
        began = time.process_time()
        found = fuzzed.check(fuzzed.DECODERS["json"], bad)
        spent.append(time.process_time() - began)
        assert found is not None
        assert found.refused.num_rows == count
    assert spent[1] < 60 * max(spent[0], 0.002)


def fuzz(name: str, runs: int, folder: Path, *more: str) -> dict[str, Any]:
    """Run the fuzzing program; give its figures."""
    done = subprocess.run(
        [sys.executable, FOLDER / "fuzz_program.py", name, str(runs), folder, *more],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=4 * 3600,
    )
    figures = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert figures, (done.stdout + done.stderr)[-4000:]
    return json.loads(figures[-1])


@pytest.fixture(scope="session")
def need_atheris() -> Callable[[], None]:
    """Give a function that skips where there is no atheris for this Python; fails where CI=true and there should be."""

    def asked() -> None:
        if find_spec("atheris") is None:
            reason = "atheris is not installed: it fuzzes with coverage"
            if os.environ.get("CI") == "true" and sys.version_info < (3, 14) and sys.platform == "linux":
                pytest.fail(reason)
            pytest.skip(reason)

    return asked


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES if LONG else ["arrow", "batch", "zstd"])
def test_the_fuzzer_finds_no_crash_no_hang_and_no_growth(
    name: str, tmp_path: Path, need_atheris: Callable[[], None]
) -> None:
    need_atheris()
    figures = fuzz(name, RUNS, tmp_path)
    print(json.dumps(figures))
    assert figures["executions"] == RUNS
    assert figures["longest_s"] < LONGEST_S
    figures = fuzz(name, REPLAYED, tmp_path, "replay")
    print(json.dumps(figures))
    assert figures["executions"] == REPLAYED
    assert figures["longest_s"] < LONGEST_S
    if LONG:  # in a short run memory is still being warmed up
        assert figures["last_kb"] < figures["warm_kb"] * MOST_GROWTH
