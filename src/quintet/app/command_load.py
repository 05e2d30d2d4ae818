"""`load`: play a simulated city to a real door, and prove that nothing acknowledged was lost."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from quintet.terms.errors import BadInput, UsageError

from .command_city import absolute
from .lazy import load
from .options import Common, ask
from .requests import LoadVerify
from .settings import Format
from .show import say

ACKS = Annotated[Path, Parameter(help="File to which every acknowledged reading is appended; `load verify` reads it.")]
PASSWORD = "QUINTET_LOAD_PASSWORD"
"""Environment variable with the broker's password: a command line can be read by others."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What is played, and how: options of `load http` and `load mqtt`."""

    rate: Annotated[float, Parameter(help="Readings a second; 0: as fast as it goes.")] = 10_000.0
    seconds: Annotated[float, Parameter(help="For how long.")] = 10.0
    readings_a_message: Annotated[int, Parameter(help="Readings in one message.")] = 200
    clients: Annotated[int, Parameter(help="Connections, each in its own turn.")] = 4
    processes: Annotated[int, Parameter(help="Processes that share the work; each writes FILE, FILE.1, ...")] = 1
    households: Annotated[int, Parameter(help="Size of the simulated city.")] = 2000
    seed: Annotated[int, Parameter(help="Its seed: the same seed is the same city.")] = 1
    timezone: Annotated[str, Parameter(help="Its clock.")] = "Asia/Seoul"
    start: Annotated[
        str | None,
        Parameter(help="First local day that is played, such as 2026-11-01; default: so that it ends yesterday."),
    ] = None
    twice: Annotated[bool, Parameter(help="Send every message twice.", negative=())] = False
    shuffle: Annotated[bool, Parameter(help="Send out of order.", negative=())] = False
    late: Annotated[bool, Parameter(help="Hold a tenth back for a while.", negative=())] = False
    stall: Annotated[float, Parameter(help="Pause this many seconds in the middle of a message, now and then.")] = 0.0
    patience: Annotated[float, Parameter(help="Seconds for which a message is sent again until it is answered.")] = 60.0
    format: Annotated[Format | None, Parameter(name="--format", help="How the tally is printed.")] = None


def load_http(
    *,
    to: Annotated[str, Parameter(help="Address of the server.")] = "http://127.0.0.1:8484/",
    acks: ACKS,
    token_file: Annotated[Path | None, Parameter(help="File with the token of `quintet token create`.")] = None,
    form: Annotated[
        Literal["columns", "rows", "lines", "arrow"], Parameter(help="How a message is written.")
    ] = "arrow",
    register: Annotated[
        bool, Parameter(help="First register the city's meters; the token needs the right `meters`.", negative=())
    ] = False,
    played: Played | None = None,
) -> int:
    """Play a simulated city to the HTTP door, and keep what was acknowledged.

    A message is sent until it is answered: 429 and 503 are waited for as they ask, and what is sent again bears the
    same Idempotency-Key. Exit code 1 when a message was given up or a reading rejected.
    """
    settings = _settings(played or Played(), to, acks)
    settings["form"] = form
    if token_file is not None:
        settings["token"] = _secret(token_file)
    return int(load("load")(settings, (played or Played()).processes, (played or Played()).format, register=register))


def load_mqtt(
    *,
    to: Annotated[str, Parameter(help="Host and port of the broker.")] = "127.0.0.1:1883",
    acks: ACKS,
    user: Annotated[str, Parameter(help=f"User at the broker; its password stands in {PASSWORD}.")] = "",
    tls: Annotated[bool, Parameter(help="Speak TLS.", negative=())] = False,
    receipts: Annotated[
        bool, Parameter(help="Count only Quintet's own receipts as acknowledgement, not the broker's.", negative=())
    ] = False,
    receipt_timeout: Annotated[float, Parameter(help="Seconds without a receipt until it is sent again.")] = 15.0,
    played: Played | None = None,
) -> int:
    """Play a simulated city to an MQTT broker at QoS 1, and keep what was acknowledged: by it, or with `--receipts`.

    A receipt is Quintet's word that a message is stored; what has none is sent again, also over restarts of the broker.
    The city must know the meters: `quintet load meters FOLDER`, then `quintet ingest FOLDER`. Exit code 1 when a
    message was not acknowledged in the time.
    """
    settings = _settings(played or Played(), f"{'mqtts' if tls else 'mqtt'}://{to}", acks)
    if receipt_timeout <= 0:
        raise UsageError(f"--receipt-timeout is {receipt_timeout}.", code="bad_load", remedy="It must be more than 0.")
    settings |= {"user": user, "password": os.environ.get(PASSWORD, ""), "receipt_s": receipt_timeout * receipts}
    return int(load("load")(settings, (played or Played()).processes, (played or Played()).format, register=False))


def load_meters(
    folder: Annotated[Path, Parameter(name="FOLDER", help="A folder that does not exist yet.")],
    /,
    *,
    households: Annotated[int, Parameter(help="Size of the simulated city.")] = 2000,
    seed: Annotated[int, Parameter(help="Its seed.")] = 1,
    timezone: Annotated[str, Parameter(help="Its clock.")] = "Asia/Seoul",
) -> int:
    """Write the simulated city's meters as a dataset for `quintet ingest`: they must be known before their readings."""
    load("load_meters")(Path(absolute(folder)), households, seed, timezone)
    say(f"Next: quintet ingest {folder}")
    return 0


def load_verify(
    file: Annotated[Path, Parameter(name="FILE", help="What `load --acks` wrote.")],
    /,
    *,
    common: Common | None = None,
) -> int:
    """Prove from the store that each acknowledged reading is there exactly once; exit code 1 when one is not."""
    return ask(common, LoadVerify(absolute(file)))


def _settings(played: Played, to: str, acks: Path) -> dict[str, object]:
    """Give the settings of a LoadConfig as plain values; raises UsageError for what cannot be played."""
    least = {
        "rate": (played.rate, 0), "seconds": (played.seconds, 0), "clients": (played.clients, 1),
        "readings-a-message": (played.readings_a_message, 1), "processes": (played.processes, 1),
    }  # fmt: skip
    for name, (value, low) in least.items():
        if value < low:
            raise UsageError(f"--{name} is {value}.", code="bad_load", remedy=f"It must be {low} or more.")
    return {
        "to": to,
        "acks": absolute(acks),
        "rate": played.rate,
        "seconds": played.seconds,
        "readings_a_message": played.readings_a_message,
        "clients": played.clients,
        "households": played.households,
        "seed": played.seed,
        "tz": played.timezone,
        "patience_s": played.patience,
        "start": played.start,
        "mischief": {
            "twice": played.twice,
            "shuffle": played.shuffle,
            "late": played.late,
            "stall_s": played.stall,
        },
    }


def _secret(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "cannot be read as a token.", code="no_token", place=str(file), remedy="Write the token there, alone."
        ) from error
