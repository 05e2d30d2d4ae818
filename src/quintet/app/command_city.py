"""Commands that make, fill, keep and serve a city."""

import getpass
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from .lazy import load
from .options import CityOption, Common, ask, chosen_format
from .requests import BackupCreate, CloseDays, Doctor, Ingest
from .settings import city_folder, read_settings
from .show import Meterstick, say, show

HERE = "127.0.0.1"


def actor() -> str:
    """Name who runs the command, for the batch that it makes."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def absolute(path: Path) -> str:
    """Write a path so that another process finds it."""
    return str(path.expanduser().absolute())


def init(
    folder: Annotated[Path, Parameter(name="DIR", help="The folder to make; it may exist if it is no city.")],
    /,
    *,
    name_en: Annotated[str | None, Parameter(help="The city's name in English; default: the folder's name.")] = None,
    name_ko: Annotated[str | None, Parameter(help="The city's name in Korean; default: the English one.")] = None,
    timezone: Annotated[str, Parameter(help="The city's clock, as an IANA name such as Asia/Seoul.")] = "UTC",
) -> int:
    """Make a new city folder."""
    target = folder.expanduser().absolute()
    english = name_en or re.sub(r"[-_]+", " ", target.name) or "city"
    load("create_city")(target, name_en=english, name_ko=name_ko or english, timezone=timezone)
    say(f"Made {target}. Next: quintet ingest PATH --city {folder}")
    return 0


def serve(
    *,
    host: Annotated[str, Parameter(help="Where to listen; beyond this machine only with --public.")] = HERE,
    port: Annotated[int | None, Parameter(help="Default: 8484, or as settings say; 0: any free port.")] = None,
    public: Annotated[str, Parameter(help="The https:// address of a TLS proxy that lets people in.")] = "",
    mqtt: Annotated[str | None, Parameter(help="HOST:PORT of an MQTT broker; or [mqtt] in quintet.toml.")] = None,
    city: CityOption = None,
) -> int:
    """Own the city and serve its pages and API: on this machine, and where accounts are, to people elsewhere.

    Days that are over are closed by themselves, an hour after local midnight and at start. What goes wrong with that is
    said on stderr and tried again.
    """
    settings = read_settings(os.environ, Path.cwd())
    wanted = port if port is not None else settings.port
    folder = city_folder(city)
    children = load("mqtt_children")(folder, settings, mqtt or "", os.environ) if mqtt or settings.mqtt else None
    return int(load("serve")(folder, host, wanted, children, public))


def doctor(*, common: Common | None = None) -> int:
    """Name what is wrong with the city and how to mend it."""
    return ask(common, Doctor())


def ingest(
    paths: Annotated[
        list[Path],
        Parameter(name="PATH", help="Dataset folders, readings files, Green Button feeds (XML).", negative=()),
    ],
    /,
    *,
    map_file: Annotated[
        Path | None,
        Parameter(
            name="--map", help="A CSV that places meters in a city of yours: site, meter, virtual_city, shift_days."
        ),
    ] = None,
    common: Common | None = None,
) -> int:
    """Take in meter readings: dataset folders, readings files, Green Button feeds."""
    mapping = absolute(map_file) if map_file else None
    return ask(common, Ingest([absolute(path) for path in paths], mapping, actor()))


def close(
    *,
    until: Annotated[
        str | None, Parameter(help="First local day that stays open, such as 2025-02-01; default: today.")
    ] = None,
    common: Common | None = None,
) -> int:
    """Close the days that are over: their readings move to the city's lake of files.

    `serve` does this by itself an hour after local midnight. What comes late for a closed day is taken all the same.
    """
    return ask(common, CloseDays(until))


def backup_create(
    target: Annotated[Path, Parameter(name="TARGET", help="A folder that does not exist yet.")],
    /,
    *,
    common: Common | None = None,
) -> int:
    """Copy a consistent moment of the city to a new folder."""
    return ask(common, BackupCreate(absolute(target)))


def backup_restore(
    source: Annotated[Path, Parameter(name="SOURCE", help="What `backup create` made.")],
    folder: Annotated[Path, Parameter(name="DIR", help="The city folder to make; it must not exist yet.")],
    /,
    *,
    keys: Annotated[
        Path | None,
        Parameter(help="people/keys.sqlite of the city, which no backup holds: with it people can sign in again."),
    ] = None,
    common: Common | None = None,
) -> int:
    """Make a city folder from a backup; who was erased since stays erased."""
    with Meterstick() as stick:
        beside = Path(absolute(keys)) if keys is not None else None
        answer = load("restore_city")(Path(absolute(source)), Path(absolute(folder)), stick, beside)
    show(answer, chosen_format(common))
    return 0


def bench(
    name: Annotated[
        Literal["spine", "commits", "live", "ingest", "mqtt", "vee", "ledger", "bills", "household"],
        Parameter(name="NAME", help="Which benchmark."),
    ],
    /,
    *,
    small: Annotated[bool, Parameter(help="A small run that shows it works.", negative=())] = False,
    households: Annotated[int | None, Parameter(help="Of `ledger`, `bills` and `household`: how large a city.")] = None,
    days: Annotated[int | None, Parameter(help="Of `ledger`: how many days; 365 is the whole.")] = None,
) -> int:
    """Measure this machine: `spine` runs the main job, `live` pushes to 5,000 listeners, `ingest` compares stores.

    `mqtt` goes through a broker and one or two doors; `vee` compares validation with pandas; `ledger`
    opens the books of a city; `bills` reckons a month of every dwelling; `household` opens 5,000 residents' pages
    while readings come.
    """
    return int(load("bench")(name, small=small, households=households, days=days))
