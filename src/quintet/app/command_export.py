"""`quintet export ...`: aggregates of the city for everybody, and a dwelling's readings for who lives there."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from quintet.terms.errors import CityError, UsageError

from .answer import Answer
from .command_city import absolute, actor
from .options import CityOption, Common, From, Place, Step, To, ask
from .requests import GreenButton, OpenData, OpenReleases
from .run import run
from .settings import city_folder
from .show import Meterstick, say

WHOLE = "city"
STDOUT = "-"


def export_open_data(
    *,
    start: From,
    end: To,
    resolution: Step = "month",
    place: Place = WHOLE,
    form: Annotated[
        Literal["csv", "ngsi-ld"], Parameter(name="--format", help="csv with its description beside it, or ngsi-ld.")
    ] = "csv",
    simple: Annotated[bool, Parameter(name="--key-values", help="NGSI-LD as key-values, not normalised.")] = False,
    out: Annotated[Path, Parameter(help="A folder for the files; - for the data alone on stdout.")] = Path(STDOUT),
    preview: Annotated[
        bool, Parameter(help="Only look, as known now: nothing is released, and it is not for others.")
    ] = False,
    by: Annotated[str | None, Parameter(name="--actor", help="Who releases; default: the account that asks.")] = None,
    reason: Annotated[str, Parameter(help="Why these months are released.")] = "open data",
    city: CityOption = None,
) -> int:
    """Write aggregates for everybody: whole months, under the privacy floor.

    A month that was never told is released: as known now, and never again otherwise. What is under the floor, or would
    give it away, is suppressed with its reason.
    """
    if simple and form == "csv":
        raise UsageError("a CSV has no key-values.", code="bad_form", place="--key-values", remedy="Leave it out.")
    asked = OpenData(start, end, resolution, place, form, by or actor(), reason, preview, simple)
    answers: list[Answer] = []
    with Meterstick() as stick:
        run(city_folder(city), asked, stick, answers.append)
    files: dict[str, str] = answers[0].read()["files"]
    if str(out) == STDOUT:
        sys.stdout.write(next(iter(files.values())))
        sys.stdout.flush()
    else:
        _write(Path(absolute(out)), files)
        cells, hidden = answers[0].rows[0][2:]
        say(f"{len(files)} files in {out}: {cells} cells, {hidden} suppressed.")
    for note in answers[0].notes:
        say(note)
    return 0


def export_releases(*, common: Common | None = None) -> int:
    """List the months that were told to everybody."""
    return ask(common, OpenReleases())


def export_green_button(
    *,
    place: Annotated[str, Parameter(name="--place", help="The dwelling.")],
    start: From,
    end: To,
    out: Annotated[Path, Parameter(help="The file to write; it must not exist yet.")],
    reason: Annotated[str, Parameter(help="Why: it stands in the dwelling's read log.")],
    common: Common | None = None,
) -> int:
    """Write a dwelling's readings as a Green Button feed (NAESB ESPI 4.0), for who lives there."""
    return ask(common, GreenButton(place, start, end, absolute(out), reason))


def _write(folder: Path, files: dict[str, str]) -> None:
    """Write files into a folder, which is made; raises CityError where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_bytes(text.encode())
    except OSError as error:
        raise CityError(
            f"cannot be written: {error.strerror}.", code="export_failed", place=str(folder),
            remedy="Choose another folder with --out; what was released stays released, and can be written again.",
        ) from error  # fmt: skip
