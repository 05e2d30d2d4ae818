"""Sending to the real program: what was answered survives kill -9, tokens count at once, the docs can be followed."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from tests.program import environment

from .test_serve import address_of

Run = Callable[..., subprocess.CompletedProcess[str]]
Begin = Callable[..., subprocess.Popen[str]]

READINGS = "/api/v1/readings:batch"


def token_of(quintet: Run, city: Path, *words: str) -> dict[str, Any]:
    """Make a token with the program."""
    done = quintet("token", "create", "--source", "shed", *words, "--city", city, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def reading(number: int) -> dict[str, Any]:
    """Give the reading of a quarter of an hour from 2025-03-01 on."""
    return {"site": "c1", "meter": "roof", "ts_us": 1_740_787_200_000_000 + number * 900_000_000, "value": number / 8}


def test_tokens_count_at_once_in_a_running_serve(filled: Path, quintet: Run, begin: Begin) -> None:
    server = begin("serve", "--city", filled, "--port", "0")
    address = address_of(server)
    made = token_of(quintet, filled)
    header = {"Authorization": f"Bearer {made['token']}"}
    with httpx.Client(base_url=address, headers=header, timeout=60) as client:
        assert client.post(READINGS, json=[reading(0)]).json()["accepted"] == 1
        assert client.post("/api/v1/meters:batch", json=[]).status_code == 403
        listed = quintet("token", "list", "--city", filled, "--format", "json")
        assert [one["id"] for one in json.loads(listed.stdout)["tokens"]] == [made["id"]]
        assert made["token"] not in listed.stdout
        assert quintet("token", "revoke", made["id"], "--city", filled).returncode == 0
        assert client.post(READINGS, json=[reading(1)]).status_code == 401
    server.send_signal(signal.SIGTERM)
    out, err = server.communicate(timeout=60)
    assert server.returncode == 0
    assert made["token"].rpartition("_")[2] not in out + err
    unknown = quintet("token", "revoke", "nothing", "--city", filled)
    assert unknown.returncode == 1
    assert "quintet token list" in unknown.stderr


def test_what_was_answered_survives_kill_9_with_its_key(filled: Path, quintet: Run, begin: Begin) -> None:
    token = token_of(quintet, filled)["token"]
    header = {"Authorization": f"Bearer {token}"}
    server = begin("serve", "--city", filled, "--port", "0")
    address = address_of(server)
    answers: dict[int, dict[str, Any]] = {}

    def play(first: int) -> None:
        with httpx.Client(base_url=address, headers=header, timeout=60) as client:
            for number in range(first, first + 1_000_000, 4):
                try:
                    said = client.post(READINGS, json=[reading(number)], headers={"Idempotency-Key": f"k{number}"})
                except httpx.HTTPError:
                    return
                answers[number] = said.json()

    playing = [threading.Thread(target=play, args=(first,)) for first in range(4)]
    for thread in playing:
        thread.start()
    while len(answers) < 30:
        assert server.poll() is None
        threading.Event().wait(0.01)
    server.send_signal(signal.SIGKILL)
    for thread in playing:
        thread.join()
    assert all(said["accepted"] == 1 for said in answers.values())
    again = address_of(begin("serve", "--city", filled, "--port", "0"))
    with httpx.Client(base_url=again, headers=header, timeout=60) as client:
        for number, said in answers.items():
            repeated = client.post(READINGS, json=[reading(number)], headers={"Idempotency-Key": f"k{number}"})
            assert repeated.json() == {**said, "repeated": True}
        everything = client.post(READINGS, json=[reading(number) for number in sorted(answers)]).json()
    assert (everything["accepted"], everything["duplicate"]) == (0, len(answers))


def test_it_says_that_it_is_not_ready_while_the_city_is_opened(tmp_path: Path) -> None:
    program = (
        "import socket, sys; from quintet.app.opening import Opening\n"
        "door = socket.socket(); door.bind(('127.0.0.1', 0))\n"
        "with Opening(door):\n"
        "    print(door.getsockname()[1], flush=True); sys.stdin.readline()\n"
        "print(door.getblocking(), flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(),
    )  # fmt: skip
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        silent = socket.create_connection(("127.0.0.1", port))
        for method, path in (("GET", "/ready"), ("POST", READINGS)):
            answer = httpx.request(method, f"http://127.0.0.1:{port}{path}?x=1", content=b"x" * 100_000, timeout=60)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.headers["content-type"] == "application/problem+json"
            assert (answer.json()["code"], answer.json()["instance"]) == ("opening", path)
        silent.close()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "True\n"
