"""The bench through a broker runs, and measures what it says."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Need

from quintet.app.bench_mqtt import measure_mqtt
from quintet.app.bench_publisher import pubacks_in


def test_both_kinds_of_messages_are_measured(need: Need) -> None:
    need(Path(shutil.which("mosquitto", path="/usr/sbin:/usr/bin") or "mosquitto"), "a bench through a broker")
    figures: dict[str, Any] = {}
    measure_mqtt(figures.__setitem__, small=True)
    single, batches = figures["mqtt_single_doors_1"], figures["mqtt_batches_of_200_doors_1"]
    assert single["messages_s"] == single["readings_s"] > 0
    assert batches["readings_s"] > batches["messages_s"] > 0
    assert len(single["cpu_s_doors"]) == 1


def test_pubacks_are_counted_and_a_refusal_is_not_one() -> None:
    assert pubacks_in(b"\x40\x02\x00\x01" * 3 + b"\x40\x02") == (3, b"\x40\x02")
    assert pubacks_in(b"\x40\x03\x00\x01\x00\x40\x02\x00\x02\x40") == (2, b"\x40")
    with pytest.raises(ConnectionRefusedError):
        pubacks_in(b"\x40\x03\x00\x01\x10")
    with pytest.raises(ConnectionResetError):
        pubacks_in(b"")
