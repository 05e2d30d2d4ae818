"""One listener's queue: bounded in events and bytes, written in order, and empty when it was dropped."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from quintet.views.live import LiveAlerts, LiveBye, LiveReset, Mark, news_of
from quintet.web.live_limits import Limits
from quintet.web.live_stream import Listener, beat, framed, transport_of


def listener(**given: int) -> Listener:
    shipped = Limits.shipped()
    bounds = {name: given.get(name, getattr(shipped, name)) for name in Limits.__slots__}
    return Listener(None, Limits(**bounds))


def test_a_queue_is_bounded_in_events_and_in_bytes() -> None:
    few = listener(queue_events=2)
    assert [few.put(b"x") for _ in range(3)] == [True, True, False]
    small = listener(queue_bytes=10)
    assert [small.put(b"12345"), small.put(b"12345"), small.put(b"1")] == [True, True, False]


def written(own: Listener, *frames: bytes) -> list[Message]:
    """Write what is queued to the end; give the messages."""
    out: list[Message] = []

    async def send(message: Message) -> None:
        out.append(message)

    async def run() -> None:
        for frame in frames:
            assert own.put(frame)
        own.finish()
        await own.write(send)

    asyncio.run(run())
    return out


def test_what_waits_is_written_in_order_and_then_the_stream_ends() -> None:
    messages = written(listener(), b"a", b"b", b"c")
    assert b"".join(message["body"] for message in messages) == b"abc"
    assert [message["more_body"] for message in messages][-1] is False
    assert all(message["more_body"] for message in messages[:-1])


def test_room_is_given_back_when_it_was_written() -> None:
    own = listener(queue_events=1, queue_bytes=4)
    written(own, b"1234")
    assert own.put(b"1234")


def test_a_stalled_listener_says_since_when_and_is_cut() -> None:
    async def run() -> None:
        own = listener()
        never = asyncio.Event()

        async def send(_message: Message) -> None:
            await never.wait()

        own.task = asyncio.create_task(own.write(send))
        own.put(b"x")
        while own.writing_since is None:
            await asyncio.sleep(0)
        own.put(b"y")
        own.drop()
        with pytest.raises(asyncio.CancelledError):
            await own.task

    asyncio.run(run())


def test_frames_are_as_browsers_read_them() -> None:
    mark = Mark(7, 12)
    assert framed(news_of(mark, LiveBye("gone"))) == b'id: 7-12\nevent: bye\ndata: {"reason":"gone"}\n\n'
    told = news_of(mark, LiveReset("c1", 7))._replace(first=news_of(mark, LiveAlerts("c1", 7)))
    first, second = framed(told).split(b"\n\n", 1)
    assert first == b'event: alerts\ndata: {"place":"c1","batch":7}'
    assert second.startswith(b"id: 7-12\nevent: reset\n")
    assert beat(mark) == b": beat\nid: 7-12\n\n"


def test_a_server_that_hides_its_connection_is_no_error() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert transport_of(receive) is None
