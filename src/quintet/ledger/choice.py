"""The choice of a factor by what a question states: never another year's, another branch's or a nation's in silence."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from quintet.terms.errors import BadInput, UsageError

from .dated import latest_day
from .factors import Chosen, Factor, Factors, by_year, plain_name

BRANCH_ENDINGS = ("", "지사", "지역", "branch", "region")
"""Words that may follow the name of a branch and mean nothing more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question states of the factor it wants; None where it says nothing.

    `factor` names one outright, whatever its year and purpose. With `known_on`, only what was
    published by that day counts.
    """

    commodity: str
    year: int | None = None
    purpose: str = "inventory"
    use: str | None = None
    branch: str | None = None
    factor: str | None = None
    known_on: date | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen factor, and the others that describe the same year."""

    chosen: Chosen
    others: tuple[Factor, ...]


def choose(table: Factors, wanted: Wanted) -> Choice:
    """Choose the factor that describes what is stated, by the order of `Factors.factor_for`; `others` also describe it.

    Raises UsageError where several fit until a year, use or branch is named, and BadInput where none is of what is
    named; both list what there is.
    """
    rows = [row for row in table.rows.values() if row.commodity == wanted.commodity]
    if not rows:
        known = ", ".join(sorted({row.commodity for row in table.rows.values()}))
        raise BadInput(
            f"no factor is of {wanted.commodity}.",
            code="no_factor",
            place="--commodity",
            remedy=f"There are factors of {known}.",
        )
    if wanted.factor is not None:
        return Choice(_named(table, wanted), ())
    rows = _by_name(rows, wanted.branch, lambda row: row.branches, "--branch", wanted.commodity)
    rows = _by_name(rows, wanted.use, lambda row: row.uses, "--use", wanted.commodity)
    rows = _published(rows, wanted)
    fitting = _of_year([row for row in rows if wanted.purpose in row.purposes], rows, wanted)
    others = _covering(rows, wanted.year)
    chosen = by_year(fitting, wanted.year or date.max.year)
    if chosen is None:
        raise BadInput(f"no factor of {wanted.commodity} fits.", code="no_factor")
    return Choice(chosen, tuple(row for row in others if row.id != chosen.factor.id))


def _named(table: Factors, wanted: Wanted) -> Chosen:
    """Take the factor that is named, whatever its year, and say of which activity it is."""
    factor = table[wanted.factor or ""]
    if factor.commodity != wanted.commodity:
        raise UsageError(
            f"factor {factor.id} is of {factor.commodity}, not of {wanted.commodity}.",
            code="wrong_factor",
            place="--factor",
        )
    for asked, names, option in ((wanted.branch, factor.branches, "--branch"), (wanted.use, factor.uses, "--use")):
        if asked is not None and plain_name(asked) not in {plain_name(name) for name in names}:
            raise UsageError(
                f"factor {factor.id} is not for {asked!r}.",
                code="wrong_factor",
                place=option,
                remedy=f"Leave {option} out, or name another factor.",
            )
    return Chosen(factor, f"named, {factor.years}")


def _by_name(
    rows: list[Factor], asked: str | None, names: Callable[[Factor], tuple[str, ...]], option: str, commodity: str
) -> list[Factor]:
    """Keep the factors that bear a name, as energy-industries does energy_industries; without one, those for all."""
    there = _distinct(names(row) for row in rows)
    nameless = [row for row in rows if not names(row)]
    if asked is None:
        if not nameless:
            raise UsageError(
                f"the factors of {commodity} differ by {option.removeprefix('--')}: name one.",
                code="ambiguous_factor",
                place=option,
                remedy=f"There are {there}.",
            )
        return nameless
    said = {plain_name(asked).removesuffix(ending) for ending in BRANCH_ENDINGS}
    found = [row for row in rows if said & {plain_name(name) for name in names(row)}]
    if not found:
        remedy = f"There are {there}." if there else f"Leave {option} out: there is one factor for all."
        raise BadInput(
            f"no factor of {commodity} is for {asked!r}.",
            code=f"unknown_{option.removeprefix('--')}",
            place=option,
            remedy=remedy,
        )
    return found


def _distinct(names: Iterable[tuple[str, ...]]) -> str:
    """List the first name of each factor, once."""
    return ", ".join(dict.fromkeys(each[0] for each in names if each))


def _published(rows: list[Factor], wanted: Wanted) -> list[Factor]:
    """Keep what was published by the day from which nothing is known."""
    day = wanted.known_on
    found = [row for row in rows if day is None or latest_day(row.published_on) <= day]
    if not found:
        raise BadInput(
            f"no factor of {wanted.commodity} had been published by then.",
            code="no_factor",
            place="--known-on",
            remedy=f"The first came {min(row.published_on for row in rows)}.",
        )
    return found


def _covering(rows: list[Factor], year: int | None) -> list[Factor]:
    """Keep the factors whose activity is that year, or any year where none is named."""
    return [row for row in rows if (row.first_year is None if year is None else row.covers(year))]


def _of_year(fitting: list[Factor], rows: list[Factor], wanted: Wanted) -> list[Factor]:
    """Keep what describes the year, or say what there is."""
    if not fitting:
        raise BadInput(
            f"no factor of {wanted.commodity} is for {wanted.purpose!r}.",
            code="unknown_purpose",
            place="--purpose",
            remedy=f"There are {', '.join(sorted({one for row in rows for one in row.purposes}))}; "
            "or name a factor with --factor.",
        )
    found = _covering(fitting, wanted.year)
    if found:
        return found
    listed = ", ".join(f"{row.years} ({row.id})" for row in fitting)
    if wanted.year is None:
        raise UsageError(
            f"the factors of {wanted.commodity} are of certain years: name the year of activity.",
            code="no_year",
            place="--year",
            remedy=f"There are {listed}.",
        )
    raise BadInput(
        f"no factor of {wanted.commodity} describes the activity of {wanted.year} ({wanted.purpose}).",
        code="no_factor",
        place="--year",
        remedy=f"There are {listed}; to use one all the same, name it with --factor.",
    )
