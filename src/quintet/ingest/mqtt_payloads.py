"""What MQTT messages say: the one place where the door meets the decoders."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from quintet.protocols.payloads import decode_messages, load_mappings
from quintet.protocols.payloads.originals import message_original
from quintet.terms.tables import QUARANTINE

from .mqtt_parcels import Decoded, Payloads


def payloads(files: Sequence[Path] = ()) -> Payloads:
    """Give what knows the shipped formats and a city's own (TOML files); raises BadInput for a wrong one."""
    known = load_mappings(files)

    def decode(source: str, messages: list[tuple[str, bytes, int]]) -> Decoded:
        return decode_messages(messages, known, source=source)

    def single(topic: str) -> bool:
        route = known.route(topic)
        return route is not None and route.format is None and not route.ignored and bool(route.meter)

    return Payloads(decode, set_aside, single, message_original)


def set_aside(source: str, message: tuple[str, bytes, int], code: str, reason: str) -> pa.Table:
    """Give the QUARANTINE row of one message (topic, payload, moment of receipt) as a whole."""
    row = {
        "source": source,
        "row": 1,
        "site": None,
        "meter": None,
        "code": code,
        "reason": reason,
        "original": message_original(*message),
    }
    return pa.Table.from_pylist([row], QUARANTINE)
