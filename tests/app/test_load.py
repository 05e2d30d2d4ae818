"""`load` against a real `serve`: all forms, all mischief, an owner that is killed; and the proof afterwards."""

import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from quintet.app.load import Load, LoadConfig, Mischief
from quintet.app.load_bodies import FORMS

from .served import Served, document, run, wait_for

HOUSEHOLDS = "20"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("load") / "city").start(QUINTET_LOG="-")
    acks = served.folder.with_suffix(".first")
    run(
        "load", "http", "--to", served.address, "--token-file", served.token_file, "--acks", acks, "--register",
        "--households", HOUSEHOLDS, "--seconds", "1", "--rate", "200", "--readings-a-message", "20",
    )  # fmt: skip
    yield served
    served.end()


def config(served: Served, acks: Path, **more: object) -> LoadConfig:
    settings = {"households": 20, "rate": 2_000.0, "seconds": 1.5, "readings_a_message": 50, "clients": 3, **more}
    return LoadConfig(to=served.address, acks=acks, token=served.token, **settings)  # pyright: ignore[reportArgumentType]


def verified(served: Served, acks: Path) -> int:
    """Prove a file; gives the number of distinct readings that stand there once."""
    said = document("load", "verify", acks, "--city", served.folder)
    assert (said["missing"], said["doubled"], said["differing"]) == (0, 0, 0)
    assert said["once"] == said["distinct"]
    return int(str(said["once"]))


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_taken_acknowledged_and_stored_once(served: Served, tmp_path: Path, form: str) -> None:
    tally = Load(config(served, tmp_path / "acks", form=form)).run()
    assert tally.acked == tally.sent > 0
    assert tally.acked_readings == tally.sent_readings == tally.accepted + tally.duplicate
    assert (tally.rejected, tally.given_up, tally.turned_down) == (0, 0, 0)
    assert len(tally.latency_s) == tally.acked
    assert verified(served, tmp_path / "acks") == tally.acked_readings


def test_twice_shuffled_late_and_stalled_is_stored_once(served: Served, tmp_path: Path) -> None:
    mischief = Mischief(twice=True, shuffle=True, late=True, stall_s=0.1)
    tally = Load(config(served, tmp_path / "acks", mischief=mischief, rate=4_000.0)).run()
    assert tally.acked == tally.sent
    once = verified(served, tmp_path / "acks")
    assert tally.acked_readings // 2 <= once < tally.acked_readings


def test_what_the_door_refuses_is_not_acknowledged(served: Served, tmp_path: Path) -> None:
    wrong = config(served, tmp_path / "acks", seconds=0.3)
    tally = Load(LoadConfig(to=wrong.to, acks=wrong.acks, token="wrong", households=20, seconds=0.3)).run()
    assert (tally.acked, tally.turned_down) == (0, tally.sent)
    assert tally.refused["401"] == tally.sent > 0
    run("load", "verify", tmp_path / "acks", "--city", served.folder, expect=1)


def test_unknown_meters_are_counted_as_rejected(served: Served, tmp_path: Path) -> None:
    tally = Load(config(served, tmp_path / "acks", households=60, seconds=0.5, readings_a_message=500)).run()
    assert tally.rejected > 0
    assert tally.rejected + tally.accepted + tally.duplicate == tally.sent_readings


def test_several_processes_share_the_work(served: Served, tmp_path: Path) -> None:
    said = json.loads(
        run(
            "load", "http", "--to", served.address, "--token-file", served.token_file, "--acks", tmp_path / "acks",
            "--households", HOUSEHOLDS, "--seconds", "1", "--rate", "4000", "--processes", "2", "--format", "json",
        ).stdout
    )  # fmt: skip
    stored = sum(verified(served, tmp_path / name) for name in ("acks", "acks.1"))
    assert stored == said["readings_acknowledged"] > 0
    assert said["given_up"] == 0


def test_registering_waits_for_a_door_that_is_not_there_yet(tmp_path: Path) -> None:
    served = Served(tmp_path / "city")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
        done: list[str] = []
        words = (
            "load", "http", "--to", f"http://127.0.0.1:{port}/", "--token-file", served.token_file, "--acks",
            tmp_path / "acks", "--register", "--households", "5", "--seconds", "0.2", "--rate", "100",
        )  # fmt: skip
        player = threading.Thread(target=lambda: done.append(run(*words).stderr))
        player.start()
        free.listen()
        free.settimeout(60)
        free.accept()[0].close()  # it asks, and the line breaks
    try:
        served.start(port=port)
    finally:
        player.join()
        served.end()
    assert "meters are registered" in done[0]


def test_what_keeps_meters_from_being_registered_is_said(served: Served, tmp_path: Path) -> None:
    reader = tmp_path / "token"
    made = document("token", "create", "--source", "reader", "--city", served.folder)
    reader.write_text(str(made["token"]))
    words = ("load", "http", "--acks", tmp_path / "acks", "--register", "--households", "5", "--patience", "0.2")
    refused = run(*words, "--to", served.address, "--token-file", reader, expect=1).stderr
    assert "(403)" in refused
    assert "--may readings,meters" in refused
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
        assert "nobody answered" in run(*words, "--to", address, expect=1).stderr


def test_a_load_that_falls_behind_its_rate_says_so(served: Served, tmp_path: Path) -> None:
    words = (
        "load", "http", "--to", served.address, "--token-file", served.token_file, "--households", HOUSEHOLDS,
        "--acks", tmp_path / "acks", "--seconds", "0.5", "--format", "json",
    )  # fmt: skip
    slow = run(*words, "--rate", "20000", "--readings-a-message", "1", "--clients", "1")
    said = json.loads(slow.stdout)
    assert said["readings_due"] == 10_000
    assert said["readings_behind"] == 10_000 - said["readings_sent"] > 5_000
    assert f"Fell behind: {said['readings_behind']:,} of 10,000" in slow.stderr
    assert "Fell behind" not in run(*words, "--rate", "0.5").stderr


def test_metrics_status_and_log_tell_of_the_load(served: Served, tmp_path: Path) -> None:
    tally = Load(config(served, tmp_path / "acks", seconds=0.5)).run()
    said = document("top", "--city", served.folder)
    committer = said["committer"]
    assert isinstance(committer, dict)
    assert committer["deliveries"]["http"] >= tally.acked
    with urllib.request.urlopen(f"{served.address}metrics", timeout=30) as answer:
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain")
        text = answer.read().decode()
    assert 'quintet_door_up{door="http"} 1.0' in text
    wait_for(lambda: '"event": "committed"' in served.log.read_text(), "the log says nothing of commits")
    for secret in (served.token, "c001", "electricity"):
        assert secret not in served.log.read_text()


def test_an_owner_that_is_killed_loses_nothing_acknowledged(tmp_path: Path) -> None:
    served = Served(tmp_path / "city")
    run("load", "meters", tmp_path / "meters", "--households", HOUSEHOLDS)
    run("ingest", tmp_path / "meters", "--city", served.folder)
    served.start()
    port = int(served.address.rstrip("/").rpartition(":")[2])
    load = Load(config(served, tmp_path / "acks", seconds=20.0, rate=500.0))
    player = threading.Thread(target=load.run)
    player.start()
    try:
        wait_for(lambda: load.tally.acked > 2, "nothing was acknowledged")
        served.end(kill=True)
        before = load.tally.acked
        served.start(port=port)
        wait_for(lambda: load.tally.acked > before + 2, "nothing was acknowledged after the restart")
    finally:
        load.stop()
        player.join()
        alive = served.process is not None
    assert alive
    assert load.tally.broken > 0
    assert load.tally.given_up == 0
    assert verified(served, tmp_path / "acks") == load.tally.acked_readings
    served.end()
