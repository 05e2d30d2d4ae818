"""Reads the data tables that ship with a package: one TOML file, one kind of row, unknown keys refused."""

import tomllib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from importlib.resources import files
from pathlib import Path
from typing import Any

from .errors import BadInput, QuintetError

CERTAINTIES = {"S": "read in a source", "V": "recomputed and exact", "M": "from memory, confirm before quoting"}
"""How sure a row of data is: the marks that every table with sources knows."""


def read_toml(package: str, name: str) -> dict[str, Any]:
    """Read `data/NAME` that ships with `package`."""
    text = files(package).joinpath("data", name).read_text(encoding="utf-8")
    return tomllib.loads(text)


def read_toml_file(path: Path) -> dict[str, Any]:
    """Read a user's TOML file; a syntax error names file and line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"is no valid TOML: {error}", code="bad_toml", place=str(path), remedy="Mend the file and run again."
        ) from error


@contextmanager
def named_in(path: Path) -> Generator[None]:
    """Name the file of an error that names only the row in it."""
    try:
        yield
    except QuintetError as error:
        error.place = f"{path}, {error.place}" if error.place else str(path)
        raise


def check_keys(row: dict[str, Any], *, required: set[str], optional: set[str], place: str) -> None:
    """Refuse a row that lacks a required key or holds one that nobody reads."""
    missing = sorted(required - row.keys())
    unknown = sorted(row.keys() - required - optional)
    if missing or unknown:
        parts = [f"lacks {', '.join(missing)}"] if missing else []
        parts += [f"holds unknown {', '.join(unknown)}"] if unknown else []
        raise BadInput(
            " and ".join(parts) + ".",
            code="bad_row",
            place=place,
            remedy=f"Known keys are {', '.join(sorted(required | optional))}.",
        )


def numbers_of(table: dict[str, Any], names: Iterable[str], place: str) -> dict[str, int]:
    """Give the numbers of a file of limits by name: exactly `names`, each a row of value, source and why.

    A row may also say what of (`rule`), in which `unit`, and since when (`date`), for a table that people read.

    Raises BadInput for a row that is missing, unknown, or has other keys.
    """
    check_keys(table, required={"limit"}, optional=set(), place=place)
    rows = table["limit"]
    check_keys(rows, required=set(names), optional=set(), place=f"{place} [limit]")
    for name, row in rows.items():
        shown = {"rule", "unit", "date"}
        check_keys(row, required={"value", "source", "why"}, optional=shown, place=f"{place} [limit.{name}]")
    return {name: int(row["value"]) for name, row in rows.items()}


def exact_number(text: Any, place: str, example: str) -> Fraction:
    """Read an exact number, 0 or more, from text; a bare TOML float is refused: it is binary, not what was published.

    The remedy shows `example`.
    """
    try:
        if isinstance(text, str):
            found = Decimal(text)
            if found.is_finite() and found >= 0:
                return Fraction(found)
    except InvalidOperation:
        pass
    remedy = f'Write it as text: "{example}".'
    raise BadInput(f"{text!r} is no exact number.", code="bad_row", place=place, remedy=remedy)
