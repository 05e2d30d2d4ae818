"""Options that commands share, and the way a command asks the city."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, Token

from quintet.terms.errors import UsageError
from quintet.terms.length import resolution_of

from .answer import Answer
from .requests import AnyRequest
from .run import run
from .settings import Format, city_folder, read_settings
from .show import Meterstick, show


def resolution_said(_type: object, tokens: Sequence[Token]) -> str:
    """Read --resolution and give its one name."""
    return resolution_of(tokens[0].value, "--resolution").value


def whole_won(_type: object, tokens: Sequence[Token]) -> int:
    """Read an amount in whole won: a part of a won is no bill, and is not cut off in silence."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise UsageError(
            f"{tokens[0].value} is no whole won.", code="bad_won", place=tokens[0].keyword or "", remedy="As 100000."
        ) from None


CommonWon = Annotated[
    int | None,
    Parameter(name="--common-won", converter=whole_won, help="The common area's bill in whole won, as it was issued."),
]
LANGUAGE = ("--lang", "--language")
"""Both names of the option by which a command speaks Korean or English."""
CityOption = Annotated[Path | None, Parameter(name="--city", help="The city folder (or QUINTET_CITY).")]
FormatOption = Annotated[
    Format | None, Parameter(name="--format", help="How data are printed; table unless settings say else.")
]
From = Annotated[
    str, Parameter(name="--from", help="First moment: a year, month or date, or a time with its offset (RFC 3339).")
]
To = Annotated[str, Parameter(name="--to", help="First moment that no longer counts, written like --from.")]
Step = Annotated[
    str,
    Parameter(
        name="--resolution",
        converter=resolution_said,
        help="Length of one row: 15min, 30min, hour, day or month; equal lengths are equal names (60min, 1h).",
    ),
]
Place = Annotated[str, Parameter(name="--place", help="A place of `quintet registry list`.")]
KnownAt = Annotated[
    str | None, Parameter(name="--known-at", help="Answer as was known at this moment; default: all that is known now.")
]


Uncertainty = Annotated[
    bool,
    Parameter(
        name="--uncertainty", negative=(), help="Also the interval in which each number truly lies; takes some seconds."
    ),
]
Nominal = Annotated[float, Parameter(name="--nominal", help="How often the truth is to lie inside, as 0.9.")]


def nominal_of(uncertainty: bool, nominal: float) -> float | None:
    """Give the level of the intervals that are asked for; None: none are."""
    return nominal if uncertainty else None


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Common:
    """Options of every command that asks a city."""

    city: CityOption = None
    format: FormatOption = None


def chosen_format(common: Common | None) -> Format:
    """Give the format: the flag, else what the settings say."""
    asked = common.format if common else None
    return asked or read_settings(os.environ, Path.cwd()).format


def ask(common: Common | None, request: AnyRequest) -> int:
    """Ask the city, print the answer; give the exit code."""
    form = chosen_format(common)
    folder = city_folder(common.city if common else None)
    with Meterstick() as stick:

        def print_answer(answer: Answer) -> None:
            stick.clear()
            show(answer, form)

        return run(folder, request, stick, print_answer)
