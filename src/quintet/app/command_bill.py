"""`quintet bill compute`, `tiers` and `cards`: bills by dated rate cards, for any commodity, without a city."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from quintet.tariffs import Asked, Cards, cards, compute, tier_of, what_if_less
from quintet.tariffs.fees import TV_FEE
from quintet.tariffs.reliefs import JOINED
from quintet.tariffs.solve import next_unit_won
from quintet.tariffs.typed import named, typed_day, typed_fact, typed_month, typed_use, typed_use_in
from quintet.terms.catalogue import read_toml_file
from quintet.terms.commodity import commodities
from quintet.terms.errors import BadInput, UsageError

from .bill_answer import bill_answer, cards_answer, tiers_answer
from .bill_refusals import refusals_in
from .bill_words import LanguageOption
from .options import Common, FormatOption, chosen_format
from .show import show

Text = str | None


def option(text: str, *names: str) -> Parameter:
    """Describe an option whose value may begin with a minus sign."""
    return Parameter(name=names or None, help=text, allow_leading_hyphen=True)


CardsFile = Annotated[
    Path | None, Parameter(name="--cards", help="Own rate cards, a TOML file; they add to and replace those that ship.")
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class BillOptions:
    """What a bill is asked for."""

    use: Annotated[str, option('What was used, with its unit: "223 kWh", "15 m3", "900 Mcal".')]
    commodity: Annotated[str, option("electricity, gas, water, heat or hot_water.")] = "electricity"
    contract: Annotated[
        Text,
        option(
            "Electricity: low_voltage, high_voltage, apartment_single, apartment_total, general; others: `bill cards`."
        ),
    ] = None
    month: Annotated[Text, option("A calendar month, as 2025-10.")] = None
    start: Annotated[Text, option("Instead of a month: the first day, as 2025-06-16.", "--from")] = None
    end: Annotated[Text, option("The first day that no longer counts.", "--to")] = None
    city: Annotated[Text, option("Whose card, where cities have their own: a name of `bill cards`.")] = None
    branch: Annotated[Text, option("The supplier's branch, where branches have their own card.")] = None
    households: Annotated[int, option("So many billed as one by their average: a complex under a single contract.")] = 1
    calorific: Annotated[Text, option("Gas by volume: mean heat of the month in MJ/m3, as the supplier states.")] = None
    correction: Annotated[Text, option("Gas by volume: correction for temperature and pressure; 1 unless said.")] = None
    pipe_mm: Annotated[Text, option("Water: the meter's pipe size in mm.")] = None
    area_m2: Annotated[Text, option("District heat of homes: contract area in m2.")] = None
    capacity: Annotated[
        Text, option("Heat of others: contract capacity in Mcal/h; general electricity: contract power in kW.")
    ] = None
    unit_price: Annotated[
        Text, option("Won per unit before tax, as your supplier states: billed without a rate card.")
    ] = None
    base_won: Annotated[Text, option("With --unit-price: the base charge in won.")] = None
    common_won: Annotated[Text, option("The flat's share of the common area in won, as the building states.")] = None
    relief: Annotated[
        list[str] | None,
        option("A reduction that the household was granted, such as large_family; twice for two that combine."),
    ] = None
    tv_fee: Annotated[
        bool,
        Parameter(negative=(), help="Also the television licence fee, where it comes with the electricity bill."),
    ] = False
    provisional: Annotated[
        bool,
        Parameter(negative=(), help="Where no card is known yet, take the last one as in force; the bill says so."),
    ] = False
    cards: CardsFile = None

    def asked(self) -> Asked:
        """Read what was typed; UsageError names the option that is wrong."""
        use, unit = typed_use(self.use)
        if (self.month is None) == (self.start is None and self.end is None):
            raise UsageError(
                "needs either --month, or --from and --to.",
                code="no_period",
                place="bill",
                remedy="Say --month 2025-10.",
            )
        if self.month is not None:
            start, end = typed_month(self.month)
        elif self.start is None or self.end is None:
            raise UsageError("--from and --to go together.", code="no_period", place="bill", remedy="Say both.")
        else:
            start, end = typed_day(self.start, "--from"), typed_day(self.end, "--to")
        commodity, (contract, city, branch) = commodity_of(self.commodity), self._names()
        return Asked(
            commodity, use, unit, start, end, contract, city, branch, self.households, self._facts(),
            JOINED.join(self.relief) if self.relief else None, self.provisional,
        )  # fmt: skip

    def _names(self) -> list[str | None]:
        """Give contract, city and branch by the names of the rate cards, however they were written."""
        commodity = commodity_of(self.commodity)
        held = [card for card in table_of(self.cards).rows.values() if card.commodity == commodity]
        contracts = [name for card in held for name in card.contracts]
        places = [("city", self.city, [card.city for card in held])]
        places += [("branch", self.branch, [card.branch for card in held])]
        contract = None if self.contract is None else named(self.contract, contracts, "contract", commodity)
        return [contract, *(None if typed is None else named(typed, known, kind) for kind, typed, known in places)]

    def _facts(self) -> dict[str, Fraction]:
        """Read the facts that some cards need."""
        typed = {
            "calorific": self.calorific, "correction": self.correction, "pipe_mm": self.pipe_mm,
            "area_m2": self.area_m2, "capacity": self.capacity, "unit_price": self.unit_price,
            "base_won": self.base_won, "common_won": self.common_won,
        }  # fmt: skip
        out: dict[str, Fraction] = {}
        for name, text in typed.items():
            if text is not None:
                out[name] = typed_fact(name, text, "--" + name.replace("_", "-"))
        if self.tv_fee:
            out[TV_FEE] = Fraction(1)
        return out


def commodity_of(typed: str) -> str:
    """Give a commodity by its name, however it was written, in Korean or English."""
    return named(typed, commodities().rows, "commodity")


def table_of(path: Path | None) -> Cards:
    """Give the shipped cards, with those of a file added; a bad row is refused with the file's name."""
    if path is None:
        return cards()
    try:
        return cards().with_rows(read_toml_file(path))
    except BadInput as error:
        if str(path) not in error.place:
            error.place = f"{path}, {error.place}"
        raise


def bill_compute(
    *,
    options: BillOptions,
    language: LanguageOption = "en",
    format: FormatOption = None,  # noqa: A002
) -> int:
    """Compute one bill, line by line, and name the rate card behind it. No city is needed.

    A bill of days that cross a season or a change of rates is prorated by days. Where no card is known for a day, there
    is no bill: never one by another day's rates.
    """
    with refusals_in(language):
        asked, table = options.asked(), table_of(options.cards)
        show(bill_answer(compute(asked, table), language), chosen_format(Common(None, format)))
        return 0


def bill_tiers(
    *,
    options: BillOptions,
    less: Annotated[Text, option('Also: what the bill would be with so much less used, as "30 kWh".')] = None,
    language: LanguageOption = "en",
    format: FormatOption = None,  # noqa: A002
) -> int:
    """Say in which tier a use stands, how much is left before the next, and what one more unit costs."""
    with refusals_in(language):
        asked, table = options.asked(), table_of(options.cards)
        saving = None if less is None else what_if_less(asked, typed_use_in(less, asked.unit, "--less"), table)
        answer = tiers_answer(asked, tier_of(asked, table), next_unit_won(asked, table), saving, language)
        show(answer, chosen_format(Common(None, format)))
        return 0


def bill_cards(
    *,
    on: Annotated[Text, option("Only those in force on this day, as 2025-10-01.")] = None,
    commodity: Annotated[Text, option("Only those of one commodity.")] = None,
    cards: CardsFile = None,
    language: LanguageOption = "en",
    format: FormatOption = None,  # noqa: A002
) -> int:
    """List the rate cards and levies that are known: from when to when, from where, and how sure."""
    with refusals_in(language):
        day = None if on is None else typed_day(on, "--on")
        of = None if commodity is None else commodity_of(commodity)
        show(cards_answer(table_of(cards), day, of, language), chosen_format(Common(None, format)))
        return 0
