"""A complex that is one customer: what it owes for a month, shared over its flats with the method shown."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.bills import COMMON, DWELLINGS, HEAD, areas_m2, premise_use
from quintet.access.roles import MONTH_MIN
from quintet.tariffs import complexes
from quintet.tariffs.agreements import Agreement, cards_of, provisional
from quintet.tariffs.bill import Bill, compute
from quintet.tariffs.dwellings import Rates, asked_of
from quintet.tariffs.exact import decimal_of
from quintet.tariffs.facts import COMMON_OF
from quintet.terms.errors import NotFound, UsageError
from quintet.terms.period import from_us
from quintet.terms.premise_use import PremiseUse
from quintet.terms.unit import units

from .answers_bills import Allocation, FlatShare, UtilityBillItem
from .bill_rows import card_row
from .bills import agreements, month_span

SINGLE, TOTAL = "apartment_single", "apartment_total"
METHODS = {
    SINGLE: (
        "Single contract: the complex owes its flats' number times the bill of the average use, common area included."
        " Each flat owes the bill of its own use; what is left is shared {how}.",
        "단일계약: 단지 전체(공용 포함)의 세대 평균 사용량 요금에 세대 수를 곱합니다."
        " 각 세대는 자기 사용량 요금을 내고, 나머지는 {how} 나눕니다.",
    ),
    TOTAL: (
        "Total contract: each flat owes the low-voltage bill of its own use; the common area's bill is shared {how}.",
        "종합계약: 각 세대는 자기 사용량의 저압 요금을 내고, 공용부 요금은 {how} 나눕니다.",
    ),
}
HOW = {"area": ("by floor area", "면적에 따라"), "equal": ("equally", "세대별로 똑같이")}


@dataclass(frozen=True)
class Gathered:
    """What a complex' bill is shared from: what was counted, what is agreed, and the rates.

    `stretches` are the flats' rows as moves cut the month, `flats` the same added up; `common` is what the common area
    used, `head` what the complex bought at its head.
    """

    place: str
    month: str
    commodity: str
    stretches: list[PremiseUse]
    flats: list[PremiseUse]
    common: list[PremiseUse]
    head: list[PremiseUse]
    areas: dict[str, float]
    rates: Rates
    agreed: Agreement
    of_common: Agreement | None
    known_us: int


class Shared(NamedTuple):
    """A complex' bill shared over its flats; `whole` is the bill behind the part that is common, where there is one."""

    found: complexes.Allocation
    whole: Bill | None
    common_use: Fraction


def allocate(
    access: Access, place: str, month: str, commodity: str, common_won: int | None, known_at: datetime | None,
    tz: ZoneInfo,
) -> Allocation:  # fmt: skip
    """Share a complex' bill of a month over its flats; refuses where a flat's use is not known."""
    gathered = gather(access, place, month, commodity, known_at, tz)
    return told(gathered, shared(gathered, common_won), tz)


def gather(access: Access, place: str, month: str, commodity: str, known_at: datetime | None, tz: ZoneInfo) -> Gathered:
    """Read what a complex' bill of a month is shared from; refuses a place without flats or without such a contract."""
    first, end, span = month_span(month, tz)
    with access.asking(place, known_at, span, MONTH_MIN, each=True) as asked:
        registry = asked.registry
        stated = agreements(registry)
        flats, common, head = (
            [one for one in premise_use(asked, place, first, end, None, what) if one.commodity == commodity]
            for what in (DWELLINGS, COMMON, HEAD)
        )
        areas = areas_m2(registry, place)
        rates = Rates(cards_of(registry.timelines), provisional(registry.timelines), areas, units().sub_units)
        known = asked.known_us
    whole = [one._replace(first=first, end=end) for one in _by_flat(flats, place)]
    agreed = stated.at(place, commodity, span.start_us)
    if agreed is None or agreed.contract not in METHODS:
        raise NotFound(
            f"no contract of a whole complex is stated for its {commodity}.", code="not_agreed", place=place,
            remedy=f"State {' or '.join(METHODS)} in city.toml as [[billing]], or with `quintet bill agree`.",
        )  # fmt: skip
    of_common = stated.at(place, commodity + COMMON_OF, span.start_us)
    return Gathered(place, month, commodity, flats, whole, common, head, areas, rates, agreed, of_common, known)


def shared(of: Gathered, common_won: int | None) -> Shared:
    """Share what was gathered; refuses where some use, area or the common area's bill is not known."""
    refuse_stated(of, common_won)
    _refuse_unknown([*of.flats, *of.common, *of.head], of.place)
    uses = {one.place: Fraction(one.value) for one in of.flats}
    common_use = Fraction(sum(one.value for one in of.common))
    if of.head:
        common_use = Fraction(sum(one.value for one in of.head)) - sum(uses.values())
    weights = weights_of(of)
    asked_bill = asked_of(of.flats[0], of.agreed, of.rates)
    if of.agreed.contract == SINGLE:
        found = complexes.allocate_single(asked_bill, uses, common_use, weights, of.rates.table)
        return Shared(found, found.whole, common_use)
    whole = _common_bill(of.of_common, of.flats[0], common_use, of.rates, of.month)
    won = common_won if common_won is not None else None if whole is None else int(whole.total)
    if won is None:
        raise UsageError(
            "nothing is stated of how its common area is billed.", code="common_not_agreed", place=of.place,
            remedy=f"State [[billing]] of {of.commodity}{COMMON_OF} in city.toml, or say --common-won.",
        )  # fmt: skip
    found = complexes.allocate_total(asked_bill, uses, won, weights, of.rates.table)
    return Shared(found, None if common_won is not None else whole, common_use)


def refuse_stated(of: Gathered, common_won: int | None) -> None:
    """Refuse a bill of the common area that cannot be, or that the contract has no use for."""
    if common_won is None:
        return
    if of.agreed.contract == SINGLE:
        raise UsageError(
            f"its contract is {SINGLE}: its common area is in the complex' bill already.", code="common_not_apart",
            place="common_won", remedy="Leave it out.",
        )  # fmt: skip
    if common_won < 0:
        raise UsageError(
            f"{common_won} won is no bill.", code="bad_common", place="common_won", remedy="Give 0 or more, whole won."
        )


def is_provisional(found: Shared) -> bool:
    """Tell whether some of it goes by a rate card that has ended and was taken as still in force."""
    return any(bill.beyond for bill in (*(one.own for one in found.found.flats), found.whole) if bill is not None)


def _by_flat(flats: list[PremiseUse], place: str) -> list[PremiseUse]:
    """Add up the stretches of a flat's month: its complex pays for the whole of it."""
    held: dict[str, PremiseUse] = {}
    for one in flats:
        before = held.get(one.place)
        held[one.place] = one if before is None else before._replace(
            end=one.end, value=before.value + one.value, expected_min=before.expected_min + one.expected_min,
            arrived_min=before.arrived_min + one.arrived_min, estimated_min=before.estimated_min + one.estimated_min,
        )  # fmt: skip
    if not held:
        raise NotFound("has no flat with such a meter.", code="no_flats", place=place, remedy="Name a complex.")
    return list(held.values())


def _refuse_unknown(rows: list[PremiseUse], place: str) -> None:
    """Refuse where some use is not known: what one flat does not show another would pay."""
    unknown = [one.place for one in rows if not known(one)]
    if unknown:
        named = ", ".join(sorted(set(unknown))[:5])
        raise NotFound(
            f"the use of {len(set(unknown))} of its meters' places is not wholly known: {named}.", code="use_unknown",
            place=place, remedy="`quintet vee run` estimates what can be estimated; or enter what was read.",
        )  # fmt: skip


def known(one: PremiseUse) -> bool:
    """Tell whether a use is wholly measured or estimated."""
    return 0 < one.expected_min <= one.arrived_min + one.estimated_min


def weights_of(of: Gathered) -> list[Fraction] | None:
    """Give each flat's weight; None: equal ones."""
    flats, areas = [one.place for one in of.flats], of.areas
    if of.agreed.share == "equal":
        return None
    lacking = [flat for flat in flats if flat not in areas]
    if lacking:
        raise NotFound(
            f"the floor area of {len(lacking)} flats is not known: {', '.join(lacking[:5])}.", code="area_unknown",
            place="share", remedy='Enter the areas, or agree on share = "equal".',
        )  # fmt: skip
    return [Fraction(str(areas[flat])) for flat in flats]


def _common_bill(agreed: Agreement | None, like: PremiseUse, use: Fraction, rates: Rates, month: str) -> Bill | None:
    """Compute the common area's own bill, where its contract is stated."""
    if agreed is None:
        return None
    if use < 0:
        raise NotFound(
            f"the flats used more than the complex bought in {month}.", code="use_unknown", place=like.place,
            remedy="Look at the head meter.",
        )  # fmt: skip
    asked = asked_of(like, agreed, rates)
    return compute(asked.with_use(use), rates.table)


def told(of: Gathered, shared_out: Shared, tz: ZoneInfo) -> Allocation:
    """Write the shares."""
    found, whole, common_use = shared_out
    one = found.flats[0].own
    ratio = units()[one.unit].ratio
    method, how = method_of(of.agreed)
    uses = sum((flat.own.use for flat in found.flats), Fraction(0))
    return Allocation(
        known_at=moment_of(of.known_us, tz),
        place=of.place,
        month=of.month,
        commodity=of.commodity,
        contract=of.agreed.contract or "",
        share=of.agreed.share,
        provisional=is_provisional(shared_out),
        method_en=method[0].format(how=how[0]),
        method_ko=method[1].format(how=how[1]),
        whole_use=decimal_of(uses + common_use / ratio),
        common_use=decimal_of(common_use / ratio),
        unit=one.unit,
        whole_items=items_of(whole),
        common_won=found.common_won,
        total_won=found.total_won,
        flats=[
            FlatShare(
                flat.name, decimal_of(flat.own.use), flat.own.unit, of.areas.get(flat.name), int(flat.own.total),
                flat.common_won, flat.total_won,
            )
            for flat in found.flats
        ],
        cards=[card_row(row) for row in (*one.cards, *one.levies)],
    )  # fmt: skip


def items_of(bill: Bill | None) -> list[UtilityBillItem]:
    """Write the items of a bill."""
    return [
        UtilityBillItem(
            line.item, line.name_en, line.name_ko, None if line.won is None else decimal_of(line.won), line.lacks
        )
        for line in (bill.lines if bill is not None else ())
    ]


def method_of(agreed: Agreement) -> tuple[tuple[str, str], tuple[str, str]]:
    """Give how a contract shares its bill, and by what, each in English and Korean."""
    return METHODS[agreed.contract or ""], HOW[agreed.share]


def moment_of(known_us: int, tz: ZoneInfo) -> datetime:
    """Give a moment on the city's clock."""
    return from_us(known_us).astimezone(tz)
