"""What `[mqtt]` in quintet.toml says: where the broker is, who we are to it, what we read from it.

[mqtt]
host = "broker.example"                # --mqtt HOST:PORT of `serve` and --broker of `door mqtt` beat host and port
port = 8883                            # default: 8883 with tls_ca, else 1883
username = "quintet"
password_file = "secrets/mqtt"         # its first line; or QUINTET_MQTT_PASSWORD; never on the command line
tls_ca = "ca.crt"                      # whom to believe that it is the broker; relative paths count from this file
tls_cert = "door.crt"                  # only for a broker that asks clients for a certificate
tls_key = "door.key"
topics = ["quintet/v1/#", "tele/+/SENSOR"]
doors = 1                              # processes that share the subscription
client_id = "naju"                     # each door adds its number; default: a name made once for this city
homes = true                           # publish dwellings that ask for it (docs/home-assistant.md)
home_passwords = "broker/passwords"    # the broker's list of passwords: theirs are written there
home_pid_file = "broker/mosquitto.pid" # whom to tell that the list has changed
"""

import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from quintet.ingest.mqtt_client import BrokerAddress, Subscriptions
from quintet.terms.errors import BadInput, UsageError

from .belongings import MQTT_ID, made_once
from .door import from_os_error
from .mqtt_children import MqttChildren
from .settings import Settings

PLAIN_PORT, TLS_PORT = 1883, 8883
TOPICS = ("quintet/v1/#",)
MOST_DOORS = 64
GROUP = "quintet"
"""Doors of one city share their messages: each is sent to one of them."""
PASSWORD = "QUINTET_MQTT_PASSWORD"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str = ""
    port: int = 0
    username: str = ""
    password_file: str = ""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    topics: list[str] = []
    doors: int = 1
    client_id: str = ""
    homes: bool = False
    home_passwords: str = ""
    home_pid_file: str = ""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Checked settings; an empty `host` means that there is no broker. Paths are absolute, None where there is none."""

    host: str
    port: int
    username: str
    password: str
    tls_ca: Path | None
    tls_cert: Path | None
    tls_key: Path | None
    topics: tuple[str, ...]
    doors: int
    client_id: str
    homes: bool = False
    """Whether dwellings that ask for it are published for Home Assistant."""
    home_passwords: Path | None = None
    home_pid_file: Path | None = None

    def at(self, broker: str) -> "MqttSettings":
        """Give the same settings for another broker, named HOST:PORT (or HOST)."""
        host, port = parse_broker(broker)
        return replace(self, host=host, port=port or (TLS_PORT if self.tls_ca else PLAIN_PORT))

    def subscriptions(self) -> Subscriptions:
        """Give what the doors subscribe to: one door alone plainly, several share.

        Mosquitto 2.0 forgets shared subscriptions when it restarts, plain ones not: what devices send before the doors
        are back is kept for a plain subscription and dropped for a shared one.
        """
        plain, shared = list(self.topics), [f"$share/{GROUP}/{topic}" for topic in self.topics]
        return Subscriptions(shared, plain) if self.doors > 1 else Subscriptions(plain, shared)

    def address(self, folder: Path, number: int) -> BrokerAddress:
        """Give where door `number` of a city goes; raises CityError for a certificate that cannot be read."""
        name = self.client_id or f"quintet-{stable_id(folder)}"
        tls = None if self.tls_ca is None else self._context(self.tls_ca)
        return BrokerAddress(self.host, self.port, f"{name}-{number}", self.username, self.password, tls)

    def _context(self, authority: Path) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=authority)
            if self.tls_cert is not None:
                context.load_cert_chain(self.tls_cert, self.tls_key)
        except ssl.SSLError as error:
            raise BadInput(
                f"is no certificate or key in PEM form ({error.reason or error}).",
                code="bad_certificate",
                place=f"{authority}, {self.tls_cert}" if self.tls_cert else str(authority),
                remedy="Check tls_ca, tls_cert and tls_key in [mqtt].",
            ) from error
        except OSError as error:
            raise from_os_error(error) from error
        return context


def mqtt_settings(settings: Settings, broker: str, environment: Mapping[str, str]) -> MqttSettings:
    """Give the checked [mqtt] of the settings; `broker` (HOST:PORT, "" for none) beats its host and port."""
    found = read_mqtt(settings.mqtt, settings.base.absolute(), environment, "quintet.toml [mqtt]")
    return found.at(broker) if broker else found


def mqtt_children(folder: Path, settings: Settings, broker: str, environment: Mapping[str, str]) -> MqttChildren | None:
    """Give the door processes that `serve` is to start, None without a broker; wrong settings are said at once."""
    found = mqtt_settings(settings, broker, environment)
    if not found.host:
        return None
    found.address(folder, 0)
    return MqttChildren(folder, found.doors, broker)


def read_mqtt(table: Mapping[str, Any], base: Path, environment: Mapping[str, str], place: str) -> MqttSettings:
    """Check the table; raises BadInput naming the key. `base` is the folder that relative paths count from."""
    try:
        said = msgspec.convert(dict(table), _Table)
    except msgspec.ValidationError as error:
        known = ", ".join(field.name for field in msgspec.structs.fields(_Table))
        raise _bad(f"{error}.", place, f"Known keys are {known}.") from error
    if not 0 <= said.port <= 65535:
        raise _bad(f"port {said.port} is none.", place, "Use a number from 1 to 65535.")
    if not 1 <= said.doors <= MOST_DOORS:
        raise _bad(f"doors = {said.doors}.", place, f"Use 1 to {MOST_DOORS}.")
    if said.tls_cert and not (said.tls_ca and said.tls_key):
        raise _bad("tls_cert needs tls_ca and tls_key.", place, "Give all three, or tls_ca alone.")
    topics = tuple(said.topics) or TOPICS
    for topic in topics:
        check_filter(topic, place)
    ca, cert, key = (base / name if name else None for name in (said.tls_ca, said.tls_cert, said.tls_key))
    password = environment.get(PASSWORD, "")
    if said.password_file and not password:
        password = _first_line(base / said.password_file)
    if password and not said.username:
        raise _bad("there is a password and no username.", place, "Give username.")
    port = said.port or (TLS_PORT if said.tls_ca else PLAIN_PORT)
    users, pid = (base / name if name else None for name in (said.home_passwords, said.home_pid_file))
    return MqttSettings(
        said.host, port, said.username, password, ca, cert, key, topics, said.doors, said.client_id, said.homes, users,
        pid,
    )  # fmt: skip


def check_filter(topic: str, place: str) -> None:
    """Refuse what is no topic filter (MQTT 5, 4.7), or a shared one: doors share by themselves."""
    levels = topic.split("/")
    wild = any(("#" in level or "+" in level) and len(level) > 1 for level in levels) or "#" in levels[:-1]
    if not topic or topic.startswith("$share/") or wild or "\x00" in topic:
        raise _bad(
            f"{topic!r} is no topic filter.", place, 'Write it like "quintet/v1/#" or "tele/+/SENSOR", without $share.'
        )


def parse_broker(text: str) -> tuple[str, int]:
    """Read HOST:PORT or HOST (an IPv6 address in brackets); port 0: not said. Raises UsageError for what is neither."""
    host, _, port = text.rpartition(":") if text.rfind(":") > text.rfind("]") else (text, "", "")
    host = host.removeprefix("[").removesuffix("]")
    if not host or (port and not (port.isdecimal() and 0 < int(port) < 65536)) or text.endswith(":"):
        raise UsageError(
            f"{text!r} is no broker.", code="bad_broker", remedy="Write HOST:PORT, such as 127.0.0.1:1883."
        )
    return host, int(port or 0)


def stable_id(folder: Path) -> str:
    """Give the name by which a broker knows this city's doors; made once, so that they find their session again."""
    return made_once(folder / MQTT_ID, secrets.token_hex(6))


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except OSError as error:
        raise from_os_error(error) from error


def _bad(message: str, place: str, remedy: str) -> BadInput:
    return BadInput(message, code="bad_mqtt", place=place, remedy=remedy)
