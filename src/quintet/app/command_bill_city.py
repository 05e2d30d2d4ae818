"""`quintet bill show`, `run`, `issue`, `explain`, `agree`, `terms`, `allocate`, `follow`: the bills of a city."""

from typing import Annotated

from cyclopts import Parameter

from quintet.tariffs.facts import NUMBERS, WORDS
from quintet.terms.errors import UsageError

from .command_bill import Text, option
from .command_city import actor
from .options import Common, CommonWon, KnownAt, ask
from .requests_bills import BillAgree, BillAllocate, BillExplain, BillFollow, BillIssue, BillRun, BillShow, BillTerms

WHOLE = "city"
Dwelling = Annotated[str, Parameter(name="PLACE", help="A dwelling, as `quintet registry list` names it.")]
Where = Annotated[str, Parameter(name="PLACE", help="A place of `quintet registry list`; all dwellings below it.")]
Month = Annotated[str, Parameter(help="The month, as 2025-10.")]
By = Annotated[Text, Parameter(name="--actor", help="Who says so; default: the account that asks.")]
Utility = Annotated[str, Parameter(help="electricity, gas, water, heat or hot_water.")]


def bill_show(place: Dwelling, /, *, month: Month, known_at: KnownAt = None, common: Common | None = None) -> int:
    """Show a dwelling's bills of a month: as issued, else reckoned; of a month under way what it comes to so far.

    What is not known is said, and is no zero.
    """
    return ask(common, BillShow(place, month, known_at))


def bill_run(
    *,
    month: Month,
    place: Annotated[str, Parameter(help="All dwellings at and below this place.")] = WHOLE,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Reckon the bills of all dwellings and list what stands against issuing any. Nothing is frozen."""
    return ask(common, BillRun(month, place, known_at))


def bill_issue(place: Where, /, *, month: Month, by: By = None, common: Common | None = None) -> int:
    """Freeze a month's bills with their evidence; what is not whole is held back, nothing is issued twice.

    What was corrected of earlier months since becomes an adjustment on the bill.
    """
    return ask(common, BillIssue(place, month, by or actor()))


def bill_explain(
    place: Dwelling,
    /,
    *,
    month: Month,
    commodity: Annotated[Text, Parameter(help="Of one utility only.")] = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Explain an issued bill: its evidence and seal, what the same days come to now and why, where corrections went."""
    return ask(common, BillExplain(place, month, commodity, known_at))


def bill_agree(
    place: Where,
    /,
    *,
    commodity: Annotated[str, Parameter(help="The utility; `electricity:common` for a complex' common area.")],
    source: Annotated[str, Parameter(help="The paper that says so.")],
    since: Annotated[Text, Parameter(help="From this day on, as 2025-10-01; without it always.")] = None,
    say: Annotated[
        list[str] | None,
        option(f"NAME=VALUE, several times: {', '.join((*WORDS, *NUMBERS))}.", "--set"),
    ] = None,
    by: By = None,
    common: Common | None = None,
) -> int:
    """State by which contract a utility of a place and all below it is billed; the nearest statement counts."""
    said = {name: value for name, _, value in (one.partition("=") for one in say or ())}
    if not all(said.values()):
        raise UsageError("lacks a value.", code="bad_set", place="--set", remedy="Write --set contract=low_voltage.")
    return ask(common, BillAgree(place, commodity, said, since, source, by or actor()))


def bill_terms(
    place: Where,
    /,
    *,
    on: Annotated[Text, Parameter(help="On this day, as 2025-10-01; default: today.")] = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """List by which contracts a place is billed on a day, and where each is stated."""
    return ask(common, BillTerms(place, on, known_at))


def bill_allocate(
    place: Annotated[str, Parameter(name="COMPLEX", help="A complex that is one customer.")],
    /,
    *,
    month: Month,
    commodity: Utility = "electricity",
    common_won: CommonWon = None,
    known_at: KnownAt = None,
    common: Common | None = None,
) -> int:
    """Share a complex' bill over its flats to the last won, with the method; refused while a flat's use is unknown."""
    return ask(common, BillAllocate(place, month, commodity, common_won, known_at))


def bill_follow(place: Dwelling, /, *, month: Month, known_at: KnownAt = None, common: Common | None = None) -> int:
    """Follow what using less pays a dwelling: its baselines, what is saved so far, and one percent more."""
    return ask(common, BillFollow(place, month, known_at))
