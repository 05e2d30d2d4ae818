"""Messages on their way to the owner keep their order, whoever wants a receipt."""

from random import Random
from typing import Any

import pytest

from quintet.ingest.frames import unpacked
from quintet.ingest.mqtt_client import Message
from quintet.ingest.mqtt_packets import Reply
from quintet.ingest.mqtt_parcels import Held, Packer
from quintet.ingest.mqtt_payloads import payloads

NOWHERE: Any = None
REPLY = Reply("quintet/receipts/s1/here", b"")


def sent(number: int, *, site: str, wants: bool, batch: bool) -> Message:
    """Make a message whose value is its number."""
    row = f'{{"meter": "m", "ts_us": 1, "value": {number}}}'
    topic, payload = (f"quintet/v1/{site}", f"[{row}, {row}]") if batch else (f"quintet/v1/{site}/m", str(number))
    return Message(topic, payload.encode(), 1_780_000_000_000_000, number + 1, NOWHERE, REPLY if wants else None)


def packed(messages: list[Message]) -> Held:
    held = Packer(payloads(), 1_000).pack(messages, 0.0, fresh=True)
    assert held is not None
    return held


@pytest.mark.parametrize("seed", range(6))
def test_each_source_says_its_messages_in_the_order_they_came(seed: int) -> None:
    dice = Random(seed)
    messages = [
        sent(number, site=dice.choice(["s1", "s2"]), wants=dice.random() < 0.4, batch=dice.random() < 0.3)
        for number in range(60)
    ]
    held = packed(messages)
    values = unpacked(held.readings)["value"].to_pylist()
    told: dict[str, list[float]] = {}
    at = 0
    for place, part in enumerate(held.parts):
        told.setdefault(part.source, []).extend(values[at : at + part.readings])
        at += part.readings
        assert part.receipt == (place in held.wanting)
    for site in ("s1", "s2"):
        wanted = [
            float(message.mid - 1)
            for message in messages
            if message.topic.split("/")[2] == site
            for _ in range(1 + message.payload.startswith(b"["))
        ]
        assert told[f"mqtt:{site}"] == wanted
    assert sorted(message.mid for message in held.messages) == [message.mid for message in messages]
    assert sorted(one.mid for one in held.wanting.values()) == [one.mid for one in messages if one.reply]


def test_messages_of_one_kind_are_one_part() -> None:
    held = packed([sent(number, site="s1", wants=False, batch=False) for number in range(100)])
    assert len(held.parts) == 1
    assert "message" not in unpacked(held.readings).column_names, "each row is a message of its own"
