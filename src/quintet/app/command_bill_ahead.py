"""`quintet bill pace`, `budget` and `incentives`: where a bill is heading, and what using less pays; no city needed."""

from datetime import date
from fractions import Fraction
from typing import Annotated

from cyclopts import Parameter

from quintet.tariffs.incentives import (
    Program,
    Standing,
    baseline_of,
    program_on,
    programs,
    response_baseline,
    standing,
)
from quintet.tariffs.pace import pace_of, use_for
from quintet.tariffs.typed import typed_fact, typed_month, typed_use, typed_use_in

from .bill_ahead_answer import budget_answer, incentives_answer, pace_answer
from .bill_refusals import refusals_in
from .bill_words import LanguageOption
from .command_bill import BillOptions, Text, commodity_of, option, table_of
from .options import Common, FormatOption, chosen_format
from .show import show

Before = Annotated[
    list[str] | None,
    option('What was used in the same months of the year before, then of the year before that: "350 kWh".'),
]


def bill_pace(
    *,
    options: BillOptions,
    day: Annotated[int, Parameter(help="How many days of the bill are over; --use is what was used in them.")],
    language: LanguageOption = "en",
    format: FormatOption = None,  # noqa: A002
) -> int:
    """Say which tier comes on which day at the pace so far, and what the bill comes to. A pace is no forecast."""
    with refusals_in(language):
        found = pace_of(options.asked(), day, table_of(options.cards))
        show(pace_answer(found, language), chosen_format(Common(None, format)))
        return 0


def bill_budget(
    *,
    options: BillOptions,
    budget: Annotated[str, option("At most so many won.")],
    language: LanguageOption = "en",
    format: FormatOption = None,  # noqa: A002
) -> int:
    """Say how many whole units cost no more than a budget, and what is left of it after --use."""
    with refusals_in(language):
        asked, table = options.asked(), table_of(options.cards)
        limit = typed_fact("base_won", budget, "--budget")
        answer = budget_answer(use_for(asked, limit, table), asked, limit, table, language)
        show(answer, chosen_format(Common(None, format)))
        return 0


def bill_incentives(
    *,
    use: Annotated[str, option('What was used in the month (points: half-year; response: day): "300 kWh".')],
    before: Before = None,
    commodity: Annotated[str, option("electricity; carbon points cover water and gas too.")] = "electricity",
    month: Annotated[Text, option("The month it is about, as 2025-10: the incentives of that time.")] = None,
    program: Annotated[
        Text, option("cashback, points or response; without it all that cover the commodity by months.")
    ] = None,
    language: LanguageOption = "en",
    format: FormatOption = None,  # noqa: A002
) -> int:
    """Say what using less than before pays, and what one percent more would pay.

    A demand response compares a day with the ten weekdays before it: say --program response and --before ten times.
    """
    with refusals_in(language):
        commodity = commodity_of(commodity)
        day = typed_month(month)[0] if month is not None else last_known()
        amount, unit = typed_use(use)
        earlier = [typed_use_in(text, unit, "--before") for text in before or ()]
        kinds = [program] if program is not None else [kind for kind in covering(commodity) if kind != "response"]
        if not kinds:
            kinds = ["cashback"]  # says what is covered
        found = [standing_of(program_on(kind, commodity, day), commodity, amount, earlier) for kind in kinds]
        show(incentives_answer(found, unit, language), chosen_format(Common(None, format)))
        return 0


def standing_of(program: Program, commodity: str, use: Fraction, before: list[Fraction]) -> Standing:
    """Say where a use stands in one incentive."""
    known = response_baseline(program, before) if program.kind == "response" else baseline_of(program, [*before])
    return standing(program, commodity, known, use)


def covering(commodity: str) -> list[str]:
    """Name the kinds of incentives that cover a commodity."""
    return list(dict.fromkeys(one.kind for one in programs().values() if commodity in one.steps))


def last_known() -> date:
    """Give the last day for which every incentive is known."""
    return min(one.until for one in programs().values())
