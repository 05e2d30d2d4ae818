"""Keys of deliveries: found again by sender and key, forgotten when old, known without a look-up when new."""

from pathlib import Path

import pytest

from quintet.store import deliveries
from quintet.store.deliveries import Kept, KnownKeys, append_deliveries, find_deliveries, forget_deliveries, key_hash
from quintet.store.engine import Engine


def kept(source: str, key: str, batch: int = 1) -> Kept:
    return Kept(source, key, "digest", batch, 1, 2, 3, 4, 5, "[]")


def record(engine: Engine, *rows: Kept, received_us: int) -> None:
    with engine.writing("readings", "s", "a", received_us) as writing:
        append_deliveries(writing, list(rows))


def test_a_record_is_found_by_sender_and_key_and_forgotten_by_age(tmp_path: Path) -> None:
    engine = Engine.open(tmp_path, "UTC")
    old, new, other = kept("a", "k"), kept("a", "j", 2), kept("b", "k", 2)
    record(engine, old, received_us=1_000)
    record(engine, new, other, received_us=2_000)
    asked = [("a", "k"), ("a", "j"), ("b", "k"), ("b", "j"), ("", "ak")]
    with engine.snapshot() as snapshot:
        assert find_deliveries(snapshot, asked, 0) == {("a", "k"): old, ("a", "j"): new, ("b", "k"): other}
        assert find_deliveries(snapshot, asked[:1], 1_001) == {}
        assert find_deliveries(snapshot, [], 0) == {}
    with engine.writing("readings", "s", "a", 3_000) as writing:
        forget_deliveries(writing, 2_000)
    with engine.snapshot() as snapshot:
        assert set(find_deliveries(snapshot, asked, 0)) == {("a", "j"), ("b", "k")}
    engine.close()


def test_keys_of_different_senders_and_odd_text_have_numbers_of_their_own() -> None:
    asked = [("a", "bc"), ("ab", "c"), ("", "abc"), ("a", ""), ("도시", "키"), ("a", "\ud800")]
    assert len({key_hash(*one) for one in asked}) == len(asked)
    assert all(-(2**63) <= key_hash(*one) < 2**63 for one in asked)
    assert key_hash("a", "bc") == -6_302_140_858_635_145_382, "stored numbers keep their meaning"


def test_new_keys_need_no_look_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MERGED", 3)
    engine = Engine.open(tmp_path, "UTC")
    record(engine, *(kept("a", str(number)) for number in range(5)), received_us=1)
    with engine.snapshot() as snapshot:
        keys = KnownKeys.load(snapshot)
    engine.close()
    for number in range(5, 15):
        assert keys.known([("a", str(number))]) == []
        keys.add([kept("a", str(number))])
    asked = [("a", str(number)) for number in range(20)]
    assert keys.known(asked) == asked[:15]
    assert KnownKeys(keys._sorted[:0]).known(asked) == []
