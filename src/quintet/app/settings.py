"""Where a setting comes from: a flag beats the environment, that beats `quintet.toml`, that beats the default.

`quintet.toml` is looked for in the folder where the command is run; QUINTET_CONFIG names another file.

    city = "/srv/naju"      # the city folder; relative paths count from the file's own folder
    format = "table"        # table | json | csv
    port = 8484             # of `quintet serve`; 0: any free one
    log = "-"               # where `quintet serve` writes what happens: a file, or - for stderr; default: warnings only
    [mqtt]                  # the broker: see mqtt_settings.py
    [oidc]                  # the identity provider of staff: see oidc.py
    [telling]               # mail, web push and webhooks: see telling_settings.py
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from quintet.terms.catalogue import check_keys, read_toml_file
from quintet.terms.errors import CityError, UsageError

Format = Literal["table", "json", "csv"]
FORMATS: tuple[Format, ...] = ("table", "json", "csv")
DEFAULT_PORT = 8484
CITY_MARK = "city.toml"
"""The file that makes a folder a city."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment and the file say; None where they are silent."""

    city: Path | None
    format: Format
    port: int
    mqtt: dict[str, Any] = field(default_factory=dict[str, Any])
    """The table [mqtt], unread: mqtt_settings.py checks it where a door is meant."""
    log: str = ""
    """Where `quintet serve` writes what happens: a file, - for stderr, nothing for warnings on stderr only."""
    oidc: dict[str, Any] = field(default_factory=dict[str, Any])
    """The table [oidc], unread: oidc.py checks it where people sign in."""
    base: Path = Path()
    """The folder from which relative paths of the file count."""
    telling: dict[str, Any] = field(default_factory=dict[str, Any])
    """The table [telling], unread: telling_settings.py checks it where people are told of alerts."""


def read_settings(environment: Mapping[str, str], here: Path) -> Settings:
    """Read the environment and the file; raises UsageError for a value that is none, BadInput for an unknown key."""
    named = environment.get("QUINTET_CONFIG", "")
    file = Path(named) if named else here / "quintet.toml"
    table: dict[str, Any] = {}
    if named or file.is_file():
        table = read_toml_file(file)
        known = {"city", "format", "port", "log", "mqtt", "oidc", "telling"}
        check_keys(table, required=set(), optional=known, place=str(file))
    city = environment.get("QUINTET_CITY", "")
    folder = Path(city) if city else (file.parent / str(table["city"]) if table.get("city") else None)
    shape = environment.get("QUINTET_FORMAT", "") or str(table.get("format", "table"))
    port = environment.get("QUINTET_PORT", "") or str(table.get("port", DEFAULT_PORT))
    log = environment.get("QUINTET_LOG", "") or _log_file(table.get("log", ""), file.parent)
    return Settings(
        folder, check_format(shape), check_port(port), table.get("mqtt", {}), log, table.get("oidc", {}), file.parent,
        table.get("telling", {}),
    )  # fmt: skip


def _log_file(said: object, base: Path) -> str:
    """Give a log's path; a relative one counts from the file's own folder."""
    return str(said) if said in ("", "-") else str(base / str(said))


def check_format(text: str) -> Format:
    """Give the format of that name."""
    for name in FORMATS:
        if name == text:
            return name
    raise UsageError(f"there is no format {text!r}.", code="bad_format", remedy=f"Formats are {', '.join(FORMATS)}.")


def check_port(text: str) -> int:
    """Give a port number, 0 for any free one."""
    if not text.isdecimal() or int(text) > 65535:
        raise UsageError(
            f"{text!r} is no port.", code="bad_port", remedy="Use a number from 0 (any free one) to 65535."
        )
    return int(text)


def city_folder(flag: Path | None) -> Path:
    """Give the absolute folder of the city that is meant; it must be one."""
    folder = flag or read_settings(os.environ, Path.cwd()).city
    if folder is None:
        raise UsageError(
            "no city was named.",
            code="no_city",
            remedy="Give its folder with --city DIR or in QUINTET_CITY; `quintet init DIR` makes a new one.",
        )
    folder = folder.expanduser().absolute()
    if not (folder / CITY_MARK).is_file():
        there = "is no city: it has no city.toml." if folder.is_dir() else "there is no such folder."
        raise CityError(
            there,
            code="no_city",
            place=str(folder),
            remedy="Check --city or QUINTET_CITY; `quintet init DIR` makes a new one.",
        )
    return folder
