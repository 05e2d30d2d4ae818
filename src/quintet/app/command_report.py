"""`quintet report ...`: a report of a city's ledger, its proof, and several cities side by side."""

import re
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from quintet.terms.errors import UsageError

from .answer import Answer
from .command_city import absolute
from .lazy import load
from .options import LANGUAGE, Common, FormatOption, KnownAt, Place, chosen_format
from .requests import ReportFigures
from .settings import city_folder
from .show import Meterstick, say, show

WHOLE = "city"
LEVEL = 0.9
YEAR = re.compile(r"\d{4}")
MONTH = re.compile(r"(\d{4})-(\d{2})")
Period = Annotated[str | None, Parameter(help="A year or a month, 2025 or 2025-03; or give --from and --to.")]
First = Annotated[str | None, Parameter(name="--from", help="First day or month, where there is no --period.")]
After = Annotated[str | None, Parameter(name="--to", help="First day or month that no longer counts.")]
"""What `report` says of the span."""


def span_said(period: str | None, start: str | None, end: str | None) -> tuple[str, str]:
    """Give --from and --to of what was said; raises UsageError where that is nothing, too much, or no period."""
    if period is None and start is not None and end is not None:
        return start, end
    if period is not None and start is None and end is None:
        if YEAR.fullmatch(period):
            return f"{period}-01", f"{int(period) + 1:04d}-01"
        month = MONTH.fullmatch(period)
        if month and 1 <= int(month[2]) <= 12:
            year, after = int(month[1]), int(month[2]) + 1
            return period, f"{year:04d}-{after:02d}" if after <= 12 else f"{year + 1:04d}-01"
    raise UsageError(
        "the period is not clear.", code="bad_period", place="--period",
        remedy="Give --period 2025 or 2025-03, or both --from and --to.",
    )  # fmt: skip


def report_build(
    *,
    out: Annotated[Path, Parameter(help="A folder that does not exist yet, for the bundle.")],
    period: Period = None,
    start: First = None,
    end: After = None,
    lang: Annotated[Literal["ko", "en"], Parameter(name=LANGUAGE, help="Language of the PDF and the XLSX.")] = "ko",
    place: Place = WHOLE,
    level: Annotated[float, Parameter(help="Level of the intervals.")] = LEVEL,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Make a report of a period: a PDF, an XLSX whose sheets count, and the bundle that proves the figures.

    The same question as known at the same moment gives the same bytes.
    """
    form, city = chosen_format(common), city_folder(common.city if common else None)
    asked = ReportFigures(*span_said(period, start, end), place, level, known_at)
    with Meterstick() as stick:
        answer = load("build_report")(city, asked, lang, Path(absolute(out)), stick)
    show(answer, form)
    say(f"Verify it with: quintet report verify {out} --city CITY")
    return 0


def report_verify(
    bundle: Annotated[Path, Parameter(name="BUNDLE", help="What `quintet report build` made.")],
    /,
    *,
    common: Common | None = None,
) -> int:
    """Recompute a bundle's every figure from the city's stores, as known at its moment; name what differs and why.

    Exit code 1 where a figure, a file or the data behind them differs.
    """
    form, city = chosen_format(common), city_folder(common.city if common else None)
    with Meterstick() as stick:
        answer: Answer = load("verify_report")(city, Path(absolute(bundle)), stick)
    show(answer, form)
    return answer.exit_code


def report_compare(
    *cities: Annotated[Path, Parameter(name="CITY", help="City folders.")],
    period: Period = None,
    start: First = None,
    end: After = None,
    level: Annotated[float, Parameter(help="Level of the intervals.")] = LEVEL,
    known_at: KnownAt = None,
    format: FormatOption = None,  # noqa: A002
) -> int:
    """Set several cities side by side: per head, per m2, per degree day, each with its coverage.

    What cannot be compared stays empty, with the reason.
    """
    first, after = span_said(period, start, end)
    folders = [city_folder(one) for one in cities]
    form = chosen_format(Common(format=format))
    with Meterstick() as stick:
        answer: Answer = load("compare_cities")(folders, first, after, level, known_at, stick)
    show(answer, form)
    return answer.exit_code
