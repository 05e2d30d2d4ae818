"""`quintet door mqtt`: a door in a process of its own."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from quintet.terms.errors import UsageError

from .lazy import load
from .options import CityOption
from .settings import city_folder, read_settings


def door_mqtt(
    *,
    broker: Annotated[str | None, Parameter(help="HOST:PORT; default: [mqtt] in quintet.toml.")] = None,
    number: Annotated[int, Parameter(help="Which door this is: each has a session of its own at the broker.")] = 0,
    attached: Annotated[bool, Parameter(help="End when standard input ends.", negative=())] = False,
    city: CityOption = None,
) -> int:
    """Take readings from an MQTT broker and have them committed by the city's `serve`.

    `serve --mqtt HOST:PORT` starts it by itself. A message is acknowledged when it is durable, never before.
    """
    settings = load("mqtt_settings")(read_settings(os.environ, Path.cwd()), broker or "", os.environ)
    if not settings.host:
        raise UsageError(
            "no broker was named.",
            code="no_broker",
            remedy="Give --broker HOST:PORT, or host in [mqtt] of quintet.toml.",
        )
    return int(load("door_mqtt")(city_folder(city), settings, number, attached=attached))
