"""What Home Assistant is told of a dwelling over MQTT: one device with a sensor a utility, found by discovery.

Topics of a dwelling stand below quintet/home/USER, USER being the name by which its Home Assistant comes in at the
broker. Payloads are those of Home Assistant's device discovery; what classes and units mean there stands in the table.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from quintet import __version__
from quintet.terms.catalogue import check_keys, numbers_of, read_toml

TOP = "quintet/home"
STATUS = f"{TOP}/status"
"""Whether we are at the broker: `online`, or `offline` by our will."""
ONLINE, OFFLINE = "online", "offline"
BIRTH = "/homeassistant/status"
"""Where a Home Assistant says that it has come up, below its dwelling's topics."""
USER = "home-"
"""What the user names of dwellings begin with; the id of the token follows."""
LIMITS = ("pause_ms", "look_s", "retry_s", "patience_s", "keepalive_s", "settle_ms")
WON = "cost_today"
_JSON = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Limits:
    """How often and how long (data/home_assistant.toml)."""

    pause_ms: int
    look_s: int
    retry_s: int
    patience_s: int
    keepalive_s: int
    settle_ms: int


@dataclass(frozen=True, slots=True)
class Classes:
    """The table: unit and device class by quantity, device class by carrier and quantity, words by language."""

    limits: Limits
    quantities: Mapping[str, Mapping[str, str]]
    carriers: Mapping[str, Mapping[str, str]]
    flows: Mapping[str, Mapping[str, str]]
    words: Mapping[str, Mapping[str, str]]

    def device_class(self, commodity: str, quantity: str) -> str:
        """Give what a carrier's total is to Home Assistant."""
        return self.carriers.get(commodity, {}).get(quantity) or self.quantities[quantity]["device_class"]


@cache
def classes() -> Classes:
    """Give the shipped table."""
    table = read_toml("quintet.app", "home_assistant.toml")
    check_keys(
        table, required={"quantity", "carrier", "flow", "word", "limit"}, optional=set(), place="home_assistant.toml"
    )
    for kind, keys in (("quantity", {"unit", "device_class"}), ("flow", NAMES), ("word", NAMES)):
        for name, row in table[kind].items():
            check_keys(row, required=keys, optional=set(), place=f"home_assistant.toml [{kind}.{name}]")
    limits = Limits(**numbers_of({"limit": table["limit"]}, LIMITS, "home_assistant.toml"))
    return Classes(limits, table["quantity"], table["carrier"], table["flow"], table["word"])


NAMES = {"name_en", "name_ko"}


@dataclass(frozen=True, slots=True)
class Sensor:
    """One total of a dwelling since it was turned on: `total` in `unit`; `as_of` ends what is known of today.

    `estimated_share` is that of today's known intervals. `held`: what was estimated too high was corrected, and the
    total waits until the true one has passed it, for such a total may never fall.
    """

    key: str
    name: str
    device_class: str
    unit: str
    total: Decimal
    as_of: datetime | None
    estimated_share: float | None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What a dwelling's Home Assistant shows: its sensors, and the won of today where all of it has a price.

    `priced`: the won have a sensor, be they known or not: one that came and went would lose what was set about it.
    """

    sensors: Sequence[Sensor]
    won: int | None
    day_start: datetime
    priced: bool


def device_of(person: str, place: str) -> str:
    """Name the device by which a person's Home Assistant knows a dwelling: the same after its token was renewed."""
    return f"quintet-{hashlib.sha256(f'{person}|{place}'.encode()).hexdigest()[:16]}"


def own_topics(user: str, device: str) -> dict[str, str]:
    """Give a dwelling's topics: what is discovered, its numbers, whether they are told, its Home Assistant's word."""
    base = f"{TOP}/{user}"
    return {
        "config": f"{base}/homeassistant/device/{device}/config",
        "state": f"{base}/state",
        "availability": f"{base}/availability",
        "birth": f"{base}{BIRTH}",
    }


def discovery(user: str, device: str, shown: Shown, language: str, address: str, gone: Iterable[str] = ()) -> bytes:
    """Give the device as Home Assistant discovers it; `address` is that of the household's page, "" for none.

    `gone` are sensors that it has and that are no more: each is taken back by its platform alone, in one message that
    is followed by another without them.
    """
    topics, table = own_topics(user, device), classes()
    word = f"name_{'ko' if language == 'ko' else 'en'}"
    components: dict[str, Any] = {one.key: _component(topics["state"], device, one) for one in shown.sensors}
    components |= {key: {"platform": "sensor"} for key in gone}
    if shown.priced:
        components[WON] = {
            "platform": "sensor", "unique_id": f"{device}-{WON}", "name": table.words["won"][word],
            "device_class": "monetary", "state_class": "total", "unit_of_measurement": "KRW",
            "value_template": "{{ value_json.won.value }}",
            "last_reset_value_template": "{{ value_json.won.last_reset }}",
        }  # fmt: skip
    about: dict[str, Any] = {
        "identifiers": [device], "name": table.words["device"][word], "manufacturer": "Quintet",
    }  # fmt: skip
    if address:
        about["configuration_url"] = f"{address}/home"
    return _JSON.encode(
        {
            "device": about,
            "origin": {"name": "quintet", "sw_version": __version__},
            "components": components,
            "state_topic": topics["state"],
            "availability": [{"topic": STATUS}, {"topic": topics["availability"]}],
            "availability_mode": "all",
            "qos": 1,
        }
    )


def _component(state_topic: str, device: str, one: Sensor) -> dict[str, Any]:
    return {
        "platform": "sensor", "unique_id": f"{device}-{one.key}", "name": one.name, "device_class": one.device_class,
        "state_class": "total_increasing", "unit_of_measurement": one.unit,
        "value_template": f"{{{{ value_json.{one.key}.total }}}}",
        "json_attributes_topic": state_topic,
        "json_attributes_template": f"{{{{ value_json.{one.key}.attributes | tojson }}}}",
    }  # fmt: skip


def state(shown: Shown) -> bytes:
    """Give a dwelling's numbers."""
    said: dict[str, Any] = {
        one.key: {
            "total": one.total,
            "attributes": {"as_of": one.as_of, "estimated_share": one.estimated_share, "held": one.held},
        }
        for one in shown.sensors
    }
    if shown.priced:
        said["won"] = {"value": shown.won, "last_reset": shown.day_start}
    return _JSON.encode(said)


def totals_of(payload: bytes) -> dict[str, Decimal]:
    """Read the totals of a state that stands at the broker; what is none says nothing."""
    try:
        said = msgspec.json.decode(payload, type=dict[str, _Stood])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return {key: one.total for key, one in said.items() if one.total is not None}


class _Stood(msgspec.Struct):
    total: Decimal | None = None


def keys_of(payload: bytes) -> set[str]:
    """Read which sensors a device has that stands at the broker; what is none says nothing."""
    try:
        return set(msgspec.json.decode(payload, type=_Device).components)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return set()


class _Device(msgspec.Struct):
    components: dict[str, msgspec.Raw] = {}
