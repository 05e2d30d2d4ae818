"""The HTTP door under pressure: it turns away what it has no room for, loses nothing that it took, and stays well."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from quintet.ingest.http_limits import http_limits
from quintet.pipeline.bounds import limits

from .conftest import METERS, Serve, Served, wait_for
from .test_http_door import JSON, LISTS, READINGS, counts, problem, reading


def line_to(served: Served) -> socket.socket:
    """Open a line to the door."""
    host, _, port = served.address.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def head(served: Served, *lines: str) -> bytes:
    """Give a request's head."""
    first = [f"POST {READINGS} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {served.token}"]
    return "\r\n".join([*first, "Content-Type: application/json", *lines, "", ""]).encode()


def first_line(line: socket.socket) -> bytes:
    """Read the first line of an answer."""
    found = b""
    while b"\r\n" not in found:
        part = line.recv(4096)
        if not part:
            break
        found += part
    return found.split(b"\r\n")[0]


def test_a_body_that_is_too_large_is_refused_by_its_length_and_while_it_comes(serve: Serve) -> None:
    served = serve(http_limits=replace(http_limits(), body_bytes=1_000))
    body = json.dumps([reading(slot) for slot in range(50)]).encode()
    assert len(body) > 1_000
    assert problem(served.client.post(READINGS, content=body, headers=JSON)) == (413, "too_large")
    pieces = (body[at : at + 100] for at in range(0, len(body), 100))
    assert problem(served.client.post(READINGS, content=pieces, headers=JSON)) == (413, "too_large")
    assert problem(served.client.post(LISTS, content=body, headers=JSON)) == (413, "too_large")
    with line_to(served) as line:
        # refused by what is stated, before any of it is sent
        line.sendall(head(served, "Content-Length: 1001"))
        assert first_line(line) == b"HTTP/1.1 413 Request Entity Too Large" or b" 413 " in first_line(line)
    assert (served.doors.http.room.bodies, served.doors.http.room.held_bytes) == (0, 0)
    assert counts(served.send([reading()])) == (1, 0, 0, 0)


def test_a_body_that_does_not_come_is_not_waited_for(serve: Serve) -> None:
    served = serve(http_limits=replace(http_limits(), body_s=1))
    with line_to(served) as line:
        line.sendall(head(served, "Content-Length: 100") + b"[")
        assert b" 408 " in first_line(line)
    assert served.doors.http.room.held_bytes == 0


@pytest.mark.parametrize("bound", ["bodies", "held_bytes"])
def test_without_room_the_next_body_is_turned_away_with_a_time_to_come_again(serve: Serve, bound: str) -> None:
    served = serve(http_limits=replace(http_limits(), **{bound: 1 if bound == "bodies" else 1_000}))
    with line_to(served) as line:
        line.sendall(head(served, "Content-Length: 2000") + b"[" * 1_000)
        room = served.doors.http.room
        wait_for(lambda: (room.bodies, room.held_bytes) == (1, 1_000), "half of the first body has come")
        answer = served.send([reading()])
        assert problem(answer) == (429, "busy")
        assert "more bodies are on the way" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) >= 1
        ready = served.client.get("/ready")
        assert problem(ready) == (503, "overloaded")
        assert int(ready.headers["retry-after"]) >= 1
    wait_for(lambda: served.doors.http.room.bodies == 0, "the sender has left")
    assert served.client.get("/ready").status_code == 200
    assert counts(served.send([reading()])) == (1, 0, 0, 0)


def test_what_is_announced_and_not_sent_takes_no_room(serve: Serve) -> None:
    served = serve()
    lines = [line_to(served) for _ in range(4)]
    try:
        for line in lines:
            line.sendall(head(served, f"Content-Length: {http_limits().body_bytes}") + b"[")
        wait_for(lambda: served.doors.http.room.held_bytes == 4, "four bodies have begun")
        assert counts(served.send([reading()])) == (1, 0, 0, 0)
        assert served.client.get("/ready").status_code == 200
    finally:
        for line in lines:
            line.close()


@pytest.mark.parametrize("bound", ["source_bodies", "source_bytes"])
def test_one_source_leaves_room_for_the_others(serve: Serve, bound: str) -> None:
    served = serve(http_limits=replace(http_limits(), **{bound: 1 if bound == "source_bodies" else 1_000}))
    _, other = served.doors.city.tokens.create("another", ("readings",), actor="test")
    room = served.doors.http.room
    with line_to(served) as line:
        line.sendall(head(served, "Content-Length: 2000") + b"[" * 1_000)
        wait_for(lambda: (room.bodies, room.held_bytes) == (1, 1_000), "half of the first body has come")
        refused = served.send([reading()])
        assert problem(refused) == (429, "busy")
        assert "this source's" in refused.json()["detail"]
        assert counts(served.send([reading()], Authorization=f"Bearer {other}")) == (1, 0, 0, 0)
        assert served.client.get("/ready").status_code == 200
    wait_for(lambda: (room.bodies, room.held_bytes) == (0, 0), "the sender has left")
    assert counts(served.send([reading()])) == (0, 1, 0, 0)


def test_a_full_queue_pushes_back_and_nothing_acknowledged_is_lost(serve: Serve) -> None:
    served = serve(limits=replace(limits(), queue_rows=40))
    busy: list[int] = []

    def play(number: int) -> int:
        sent = 0
        with httpx.Client(base_url=served.address, headers=served.client.headers, timeout=60) as client:
            for slot in range(4):
                rows = [reading(slot, meter=meter, value=number + 0.5) for meter in ("power", "water")] * 10
                answer = client.post(READINGS, json=rows)
                while answer.status_code == 429:
                    busy.append(int(answer.headers["retry-after"]))
                    time.sleep(0.05)
                    answer = client.post(READINGS, json=rows)
                said = answer.json()
                assert said["accepted"] + said["duplicate"] + said["quarantined"] == len(rows)
                sent += said["accepted"]
        return sent

    # while the store is held, what comes piles up to the bound, and the rest is told to come again
    with ThreadPoolExecutor(8) as pool:
        with served.doors.city.engine.exclusive():
            playing = [pool.submit(play, number) for number in range(8)]
            wait_for(lambda: len(busy) > 10, "somebody is turned away")
            assert served.doors.committer.stats.waiting_rows <= 40 + 20
            assert problem(served.client.get("/ready")) == (503, "overloaded")
        taken = sum(one.result() for one in playing)
    assert all(1 <= wait <= 60 for wait in busy)
    assert served.raw_rows() == taken
    assert served.doors.committer.stats.busy_refusals >= len(busy)


def test_a_source_whose_quarantine_is_full_is_told_to_come_again(serve: Serve) -> None:
    served = serve()
    pipeline: Any = served.doors.city.pipeline
    groups = pipeline._groups
    groups.room.bounds = replace(groups.room.bounds, source_day_rows=2, retry_after_s=33)
    bad = [{**reading(slot), "value": "rubbish"} for slot in range(2)]
    assert counts(served.send(bad)) == (0, 0, 2, 2)
    answer = served.send([reading(0), {**reading(2), "value": "rubbish"}])
    assert problem(answer) == (429, "quarantine_full")
    assert answer.headers["retry-after"] == "33"
    assert served.raw_rows() == 0
    assert counts(served.send([reading(0)])) == (1, 0, 0, 0)
    assert served.doors.committer.stats.quarantine_full == 1


def test_a_sender_that_leaves_in_the_middle_harms_nobody(serve: Serve) -> None:
    served = serve()
    body = json.dumps([reading()]).encode()
    for cut in (1, len(body) // 2, len(body)):
        with line_to(served) as line:
            line.sendall(head(served, f"Content-Length: {len(body)}") + body[:cut])
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    wait_for(lambda: served.raw_rows() == 1, "what came whole is taken, though nobody waits for the answer")
    wait_for(lambda: served.doors.http.room.bodies == 0, "their room is given back")
    assert served.doors.http.answered[READINGS, "gone"] >= 1
    assert counts(served.send([reading()])) == (0, 1, 0, 0)


def test_fifty_senders_at_once_each_get_their_own_counts(serve: Serve) -> None:
    served = serve()
    gate = threading.Barrier(50)

    def play(number: int) -> list[tuple[int, int, int, int]]:
        slots = range(number, 96, 50)
        with httpx.Client(base_url=served.address, headers=served.client.headers, timeout=60) as client:
            gate.wait(60)
            out: list[tuple[int, int, int, int]] = []
            for slot in slots:
                sent: list[Any] = [reading(slot), reading(slot, meter=f"none-{number}")]
                out.append(counts(client.post(READINGS, json=sent)))
            return out

    with ThreadPoolExecutor(50) as pool:
        answers = [one for found in pool.map(play, range(50)) for one in found]
    assert answers == [(1, 0, 1, 1)] * 96
    assert served.raw_rows() == 96
    stats = served.doors.committer.stats
    assert (stats.accepted["http"], stats.quarantined["http"]) == (96, 96)


def test_one_parcel_sent_eight_times_at_once_is_taken_once(serve: Serve) -> None:
    served = serve()
    sent = [reading(slot) for slot in range(4)]
    with ThreadPoolExecutor(8) as pool:
        answers = [
            one.result().json()
            for one in [pool.submit(served.send, sent, **{"Idempotency-Key": "parcel"}) for _ in range(8)]
        ]
    assert sorted(answer["repeated"] for answer in answers) == [False] + [True] * 7
    assert [answer["accepted"] for answer in answers] == [4] * 8
    assert served.raw_rows() == 4
    with ThreadPoolExecutor(8) as pool:
        bare = [one.result().json() for one in [pool.submit(served.send, [reading(9)]) for _ in range(8)]]
    assert sorted(answer["accepted"] for answer in bare) == [0] * 7 + [1]
    assert sorted(answer["duplicate"] for answer in bare) == [0] + [1] * 7


def test_readings_do_not_wait_for_lists_of_meters(serve: Serve) -> None:
    served = serve()
    with ThreadPoolExecutor(4) as pool:
        with served.turns.mine():
            lists = [pool.submit(served.client.post, LISTS, json=METERS) for _ in range(4)]
            wait_for(lambda: served.turns.waiting == 4, "they wait for their turn")
            answer = served.client.post(LISTS, json=METERS)
            assert problem(answer) == (429, "busy"), "there is room for so many lists, apart from readings"
            assert (served.doors.http.room.bodies, served.client.get("/ready").status_code) == (0, 200)
            assert counts(served.send([reading()])) == (1, 0, 0, 0)
            assert not any(one.done() for one in lists)
        assert [one.result().status_code for one in lists] == [200] * 4


def test_a_list_of_meters_waits_for_its_turn_no_longer_than_it_should(serve: Serve) -> None:
    served = serve(http_limits=replace(http_limits(), list_wait_s=1))
    with served.turns.mine():
        answer = served.client.post(LISTS, json=METERS)
    assert problem(answer) == (503, "city_busy")
    assert int(answer.headers["retry-after"]) >= 1
    assert served.client.post(LISTS, json=METERS).status_code == 200


def test_the_end_of_the_door_finishes_what_it_took(serve: Serve) -> None:
    served = serve()
    with ThreadPoolExecutor(4) as pool:
        with served.doors.city.engine.exclusive():
            sending = [pool.submit(served.send, [reading(slot)]) for slot in range(4)]
            wait_for(lambda: served.doors.http.answered.total() == 0 and waiting(served) >= 1, "they wait")
        answers = [one.result() for one in sending]
    assert [counts(answer) for answer in answers] == [(1, 0, 0, 0)] * 4
    served.doors.stop(60)
    late = served.send([reading(9)])
    assert problem(late) == (503, "stopping")
    assert int(late.headers["retry-after"]) >= 1


def waiting(served: Served) -> int:
    """Count the deliveries that wait for their commit."""
    return served.doors.committer.stats.waiting_deliveries
