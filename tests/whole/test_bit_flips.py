"""One flipped bit in a file of a city: found when it is opened or by the scrub, or harmless; never served as good.

A disk that flips a bit leaves size and time of the file alone, and so do these tests. 60 flips by default;
QUINTET_KILLS says how many of the long form. Harmless is what changes no answer: a file that a later closing replaced,
an unused block, a mark's older half.
"""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from quintet.app.city import City
from quintet.app.owner import claim, holder
from quintet.ingest import commit_readings, find
from quintet.store.backup import restore_backup
from quintet.store.engine import Engine
from quintet.terms.errors import QuintetError

from .conftest import stamp
from .once import made_once

SHORT = 6
LONG = int(os.environ.get("QUINTET_KILLS", "60")) // 10
KINDS = {
    "intervals of closed days": "lake/intervals/day=*/*.parquet",
    "superseded intervals": "lake/superseded/day=*/*.parquet",
    "raw readings of closed days": "lake/raw/day=*/*.parquet",
    "the lake's log": "lake/*/_delta_log/*.json",
    "database": "store/quintet.duckdb",
    "write-ahead log": "store/quintet.duckdb.wal",
    "mark": "store/committed",
    "city.toml": "city.toml",
}
BACKUP_KINDS = {"backup's manifest": "backup.json", "backup's files": "**/*"}


def truth(engine: Engine) -> list[object]:
    """Give a digest of every table, and of all that is in the lake."""
    with engine.snapshot() as snapshot:
        tables = sorted(name for (name,) in snapshot.rows("select table_name from duckdb_tables() where not temporary"))
        out: list[object] = [(t, snapshot.rows(f"select count(*), bit_xor(hash(t)) from {t} t")) for t in tables]
        for lake in engine.lakes:
            paths = snapshot.lake_paths(lake, 0, 10**6)
            out.append(snapshot.rows("select count(*), bit_xor(hash(t)) from read_parquet(?) t", [paths]))
    return out


def prepare(folder: Path, small: Path, late: Path) -> None:
    """Make a city with closed days, superseded versions and a log that is not folded in, its truth and its backup."""
    work = Path(shutil.copytree(small, folder / "work"))
    city = City.open(work)
    city.close_days(date(2025, 2, 2))
    for number, file in enumerate(sorted(late.glob("*.csv"))):
        commit_readings(city.pipeline, find([file])[0], actor="test")
        if number == 0:
            city.close_days(date(2025, 2, 2))
            city.engine.checkpoint()
    (folder / "truth.json").write_text(json.dumps(truth(city.engine), default=str))
    shutil.copytree(work, folder / "city")
    city.backup(folder / "backup")
    city.close()


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory, cities: Path) -> Path:
    """Give a folder with `city`, its `backup` and its `truth.json`."""
    late = tmp_path_factory.mktemp("late")
    for number in range(3):
        lines = [
            f"c1,home-electricity,{stamp(slot)},{slot + number}" for slot in range(90 + number * 20, 100 + number * 20)
        ]
        (late / f"readings-{number}.csv").write_text("\n".join(["site,meter,ts_utc,value", *lines]) + "\n")
    return made_once(tmp_path_factory, "sound", lambda folder: prepare(folder, cities / "naju", late))


def flip(path: Path, bit: int) -> None:
    """Flip one bit of a file; its size and time stay."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def what_becomes(folder: Path, said: str) -> str:
    """Open a city one bit of which was flipped; tell how that was found."""
    try:
        city = City.open(folder)
    except QuintetError as error:
        return "found when opened" if error.place and error.remedy else f"MISSED its place or remedy: {error}"
    try:
        errors = [finding for finding in city.doctor().findings if finding.severity == "error"]
        if errors:
            assert all(finding.place and finding.remedy for finding in errors), errors
            return "found by the scrub"
        return "harmless" if json.dumps(truth(city.engine), default=str) == said else "MISSED"
    finally:
        city.close()


def flips_in_a_city(sound: Path, pattern: str, count: int, seed: str, work: Path) -> Counter[str]:
    """Flip bits, one at a time, in the files of a city that match a pattern."""
    chance = random.Random(seed)
    files = [path.relative_to(sound / "city") for path in sorted((sound / "city").glob(pattern))]
    assert files, "no such file in the city"
    said, out = (sound / "truth.json").read_text(), Counter[str]()
    for _ in range(count):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(sound / "city", work)
        file = work / chance.choice(files)
        bit = chance.randrange(file.stat().st_size * 8)
        flip(file, bit)
        found = what_becomes(work, said)
        assert not found.startswith("MISSED"), f"{found}: bit {bit} of {file.relative_to(work)}"
        out[found] += 1
    return out


def flips_in_a_backup(sound: Path, pattern: str, count: int, seed: str, work: Path) -> Counter[str]:
    """Flip bits, one at a time, in the files of a backup that match a pattern."""
    chance = random.Random(seed)
    files = [path for path in sorted((sound / "backup").glob(pattern)) if path.is_file()]
    names = [path.relative_to(sound / "backup") for path in files if pattern != "**/*" or path.name != "backup.json"]
    said, out = (sound / "truth.json").read_text(), Counter[str]()
    for _ in range(count):
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(sound / "backup", work / "backup")
        file = work / "backup" / chance.choice(names)
        flip(file, chance.randrange(file.stat().st_size * 8))
        found = what_is_restored(work, file, said)
        assert not found.startswith("MISSED"), f"{found}: {file}"
        out[found] += 1
    return out


def what_is_restored(work: Path, flipped: Path, said: str) -> str:
    """Restore a backup one bit of which was flipped; tell how that was found."""
    try:
        restore_backup(work / "backup", work / "city")
    except QuintetError as error:
        named = error.place == str(flipped) or flipped.name == "backup.json"
        return "found when restored" if named and not (work / "city").exists() else f"MISSED the file: {error}"
    return what_becomes(work / "city", said)


def flips_in_the_owners_card(count: int, work: Path) -> Counter[str]:
    """Flip bits, one at a time, in the card of a living owner: another process must not believe it."""
    chance, out = random.Random("card"), Counter[str]()
    work.mkdir()
    owner = claim(work, "serve")
    assert owner is not None
    try:
        owner.announce("http://127.0.0.1:8484/")
        card, said = work / "run/owner.json", holder(work).card
        assert said is not None
        content = card.read_bytes()
        for _ in range(count):
            flip(card, chance.randrange(len(content) * 8))
            found = holder(work).card
            assert found in (None, said)
            out["not believed" if found is None else "harmless"] += 1
            card.write_bytes(content)
    finally:
        owner.stop()
        owner.release()
    return out


def of_each_kind(sound: Path, count: int, seed: str, work: Path, tell: Callable[[str, Counter[str]], None]) -> None:
    """Flip so many bits in each kind of file."""
    for kind, pattern in KINDS.items():
        tell(kind, flips_in_a_city(sound, pattern, count, f"{seed} {kind}", work))
    for kind, pattern in BACKUP_KINDS.items():
        tell(kind, flips_in_a_backup(sound, pattern, count, f"{seed} {kind}", work))


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_in_a_city_is_found_or_harmless(kind: str, sound: Path, tmp_path: Path) -> None:
    found = flips_in_a_city(sound, KINDS[kind], SHORT, kind, tmp_path / "work")
    if kind != "mark":
        assert found["found when opened"] + found["found by the scrub"] >= SHORT // 3


@pytest.mark.parametrize("kind", BACKUP_KINDS)
def test_a_flipped_bit_in_a_backup_is_found_or_harmless(kind: str, sound: Path, tmp_path: Path) -> None:
    assert flips_in_a_backup(sound, BACKUP_KINDS[kind], SHORT, kind, tmp_path / "work")["found when restored"]


def test_a_flipped_bit_in_the_owners_card_is_not_believed(tmp_path: Path) -> None:
    assert flips_in_the_owners_card(SHORT * 10, tmp_path / "work")["not believed"]


def test_the_sound_city_is_as_its_truth_says(sound: Path, tmp_path: Path) -> None:
    assert (sound / "city/store/quintet.duckdb.wal").stat().st_size
    shutil.copytree(sound / "city", tmp_path / "work")
    assert what_becomes(tmp_path / "work", (sound / "truth.json").read_text()) == "harmless"
    assert what_becomes(tmp_path / "work", "[]") == "MISSED"


@pytest.mark.parametrize("at", [0, 4, 40])
def test_a_log_that_is_cut_short_unseen_is_found(at: int, sound: Path, tmp_path: Path) -> None:
    """DuckDB drops a log whose version or first length is wrong without a word: the mark knows better."""
    city = Path(shutil.copytree(sound / "city", tmp_path / "work"))
    log = city / "store/quintet.duckdb.wal"
    os.truncate(log, at)
    with pytest.raises(QuintetError) as lost:
        City.open(city)
    assert lost.value.code == "log_damaged"
    assert (city / "store/quintet.duckdb.wal.as-found").stat().st_size == at or at == 0
    (city / "store/committed").unlink()
    City.open(city).close()


def test_an_edit_of_city_toml_is_no_damage(sound: Path, tmp_path: Path) -> None:
    city = Path(shutil.copytree(sound / "city", tmp_path / "work"))
    text = (city / "city.toml").read_text()
    (city / "city.toml").write_text(text.replace("Naju", "Naja"))
    opened = City.open(city)
    assert [finding for finding in opened.doctor().findings if finding.severity == "error"] == []
    opened.close()


@pytest.mark.soak
def test_many_flipped_bits(sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def tell(kind: str, found: Counter[str]) -> None:
        with capsys.disabled():
            print(f"\n{kind}: {dict(found)}", end="")

    of_each_kind(sound, LONG, "long", tmp_path / "work", tell)
    tell("owner's card", flips_in_the_owners_card(LONG, tmp_path / "card"))
