"""A process that is killed while it tells people: nothing is lost, and what is told twice has the same name."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.app.peopled import Hand

import quintet as package
from quintet.store.vault import FOLDER, PEOPLE

from .telling_town import Town

PROGRAM = """
import os, signal, sys
from pathlib import Path
import tests
tests.__path__ = [sys.argv[3]]
from tests.app.peopled import Hand
from tests.alerts.telling_town import Town
from quintet.alerts.channel import SENT

class Deadly:
    def send(self, target, parcel):
        with open(sys.argv[2], "a") as arrived:
            arrived.write(parcel.id + "\\n")
            arrived.flush()
            os.fsync(arrived.fileno())
        os.kill(os.getpid(), signal.SIGKILL)

town = Town(Path(sys.argv[1]), Hand(), {"mail": Deadly()})
town.teller.send()
"""


def test_killed_between_sending_and_noting_it_is_sent_again_under_the_same_name(tmp_path: Path, root: Path) -> None:
    town = Town(tmp_path / "city", Hand())
    mina = town.person()
    town.mail(mina)
    town.teller.tell([town.alert("a1"), town.alert("a2", "budget")])
    town.city.close()
    source = Path(package.__file__).parents[1]
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "city"), str(tmp_path / "arrived"), str(root / "tests")],
            env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{source}"},
            timeout=60,
            check=False,
            capture_output=True,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    arrived = (tmp_path / "arrived").read_text().split()
    assert len(arrived) == 2
    assert len(set(arrived)) == 1
    again = Town(tmp_path / "city", Hand())
    try:
        again.teller.tell([again.alert("a3", "dead_meter")])  # what is new does not go into a parcel that has its name
        assert again.teller.send() == 1
        assert [parcel.id for _, parcel in again.channel.sent] == arrived[:1]
        assert sorted(again.channel.titles) == ["budget en", "tier en"]
        assert again.teller.send() == 1
        assert again.channel.titles[2:] == ["dead_meter en"]
        assert again.teller.send() == 0
    finally:
        again.city.close()


def test_what_is_kept_of_telling_stands_in_no_file_in_the_open_and_goes_with_the_person(tmp_path: Path) -> None:
    town = Town(tmp_path / "city", Hand())
    try:
        mina = town.person()
        town.mail(mina, "very.special@naju.example")
        town.teller.tell([town.alert("a1")])
        words = [b"very.special", b"naju.example", b"text of a1"]
        for file in (tmp_path / "city").rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert not [word for word in words if word in content], file
        kept = json.dumps([row.body.decode() for row in town.city.people.vault.opened("target")])
        assert "very.special" in kept
        town.city.people.erase(mina, actor="test")
        assert town.kept.targets(mina.id) == {}
        assert town.kept.notices(mina.id) == {}
        assert town.teller.send() == 0
        for kind in ("target", "notice", "chosen"):
            assert town.city.people.vault.opened(kind) == []
        count = town.city.people.vault.rows(PEOPLE, "select count(*) from sealed where person = ?", [mina.id])
        assert count == [(0,)]
        assert (tmp_path / "city" / FOLDER).is_dir()
    finally:
        town.city.close()


def test_erased_while_a_message_is_on_its_way_nothing_of_him_comes_back(tmp_path: Path) -> None:
    town = Town(tmp_path / "city", Hand())
    try:
        mina = town.person()
        town.mail(mina)
        town.teller.tell([town.alert("a1")])
        send = town.channel.send

        def erasing(target: object, parcel: object) -> object:
            town.city.people.erase(mina, actor="test")
            return send(target, parcel)  # type: ignore[arg-type]

        town.channel.send = erasing  # type: ignore[assignment, method-assign]
        town.teller.send()
        assert len(town.channel.sent) == 1
        assert town.kept.notices(mina.id) == {}
        assert town.city.people.vault.opened("notice") == []
    finally:
        town.city.close()
