"""Commands on alerts: what households are told of by themselves."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .lazy import load
from .options import LANGUAGE, Common, ask, chosen_format
from .requests_alerts import AlertsDismiss, AlertsList, AlertsReport, AlertsRun, AlertsTelling
from .settings import read_settings
from .show import Meterstick, show

AlertId = Annotated[str, Parameter(name="ID", help="An alert of `quintet alerts list`.")]
Where = Annotated[str, Parameter(name="--place", help="A place: its dwellings and all below it.")]


def alerts_list(
    *,
    place: Where = "city",
    state: Annotated[str, Parameter(help="standing, dismissed, ended or any.")] = "standing",
    kind: Annotated[str | None, Parameter(help="Only this kind, such as water_leak.")] = None,
    limit: Annotated[int, Parameter(help="At most this many.")] = 100,
    language: Annotated[str, Parameter(name=LANGUAGE, help="In which language they speak: en or ko.")] = "en",
    common: Common | None = None,
) -> int:
    """List alerts, those to act on first, each with its evidence and what it costs."""
    return ask(common, AlertsList(place, state, kind, limit, language))


def alerts_run(*, place: Where = "city", common: Common | None = None) -> int:
    """Look at dwellings now: raise what is found, end what is over. `serve` does so by itself."""
    return ask(common, AlertsRun(place))


def alerts_dismiss(
    number: AlertId,
    /,
    *,
    by: Annotated[str, Parameter(help="Who says so.")],
    undo: Annotated[bool, Parameter(negative=(), help="Take it back: it is a problem.")] = False,
    common: Common | None = None,
) -> int:
    """Call an alert no problem: it stays so until it grows materially."""
    return ask(common, AlertsDismiss(number, by, undo))


def alerts_telling(
    *,
    state: Annotated[str, Parameter(help="waiting, sent, given_up, dropped or any.")] = "any",
    limit: Annotated[int, Parameter(help="At most this many.")] = 50,
    test: Annotated[str, Parameter(help="Send a message to this mail address now.")] = "",
    common: Common | None = None,
) -> int:
    """Say how telling people is set up, ask the mail server, and list what was sent and failed: never to whom."""
    return ask(common, AlertsTelling(state, limit, test))


def alerts_report(
    *,
    cities: Annotated[int, Parameter(help="Simulated cities, where no city is named.")] = 5,
    seed: Annotated[int, Parameter(help="Seed of the first; the others follow. The same gives the same.")] = 1,
    days: Annotated[int, Parameter(help="Days that are looked at, one look each morning.")] = 60,
    until: Annotated[str | None, Parameter(help="Last day, of a city that is named; default: its last one.")] = None,
    common: Common | None = None,
) -> int:
    """Say how often alerts are false and what they miss, where the truth is known: in simulated cities.

    Of a city that is named: how often each kind would have been raised. Nothing in it changes.
    """
    request = AlertsReport(cities, seed, days, until)
    if (common is not None and common.city is not None) or read_settings(os.environ, Path.cwd()).city is not None:
        return ask(common, request)
    with Meterstick() as stick:
        answer = load("alerts_report")(request, stick)
    show(answer, chosen_format(common))
    return 0
