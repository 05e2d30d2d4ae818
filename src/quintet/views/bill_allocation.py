"""A complex that is one customer: what it owes for a month, shared over its flats with the method shown."""

from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from quintet.access import Access
from quintet.access.bills import COMMON, DWELLINGS, HEAD, areas_m2, premise_use
from quintet.access.roles import MONTH_MIN
from quintet.tariffs import complexes
from quintet.tariffs.agreements import COMMON_OF, Agreement, cards_of, provisional
from quintet.tariffs.bill import Bill, compute
from quintet.tariffs.dwellings import Rates, asked_of
from quintet.tariffs.exact import decimal_of
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


def allocate(
    access: Access, place: str, month: str, commodity: str, common_won: int | None, known_at: datetime | None,
    tz: ZoneInfo,
) -> Allocation:  # fmt: skip
    """Share a complex' bill of a month over its flats; refuses where a flat's use is not known."""
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
    flats = _by_flat(flats, place)
    agreed = stated.at(place, commodity, span.start_us)
    if agreed is None or agreed.contract not in METHODS:
        raise NotFound(
            f"no contract of a whole complex is stated for its {commodity}.", code="not_agreed", place=place,
            remedy=f"State {' or '.join(METHODS)} in city.toml as [[billing]], or with `quintet bill agree`.",
        )  # fmt: skip
    _refuse_unknown([*flats, *common, *head], place)
    uses = {one.place: Fraction(one.value) for one in flats}
    shared_use = Fraction(sum(one.value for one in common))
    if head:
        shared_use = Fraction(sum(one.value for one in head)) - sum(uses.values())
    weights = _weights(agreed, list(uses), areas)
    asked_bill = asked_of(flats[0]._replace(first=first, end=end), agreed, rates)
    if agreed.contract == SINGLE:
        found = complexes.allocate_single(asked_bill, uses, shared_use, weights, rates.table)
        whole = found.whole
    else:
        whole = _common_bill(stated.at(place, commodity + COMMON_OF, span.start_us), flats[0], shared_use, rates, month)
        won = common_won if common_won is not None else None if whole is None else int(whole.total)
        if won is None:
            raise UsageError(
                "nothing is stated of how its common area is billed.", code="not_agreed", place=place,
                remedy=f"State [[billing]] of {commodity}{COMMON_OF} in city.toml, or say --common-won.",
            )  # fmt: skip
        found = complexes.allocate_total(asked_bill, uses, won, weights, rates.table)
        whole = None if common_won is not None else whole
    return _told(found, whole, agreed, place, month, commodity, shared_use, areas, known, tz)


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
    unknown = [one.place for one in rows if not 0 < one.expected_min <= one.arrived_min + one.estimated_min]
    if unknown:
        named = ", ".join(sorted(set(unknown))[:5])
        raise NotFound(
            f"the use of {len(set(unknown))} of its meters' places is not wholly known: {named}.", code="use_unknown",
            place=place, remedy="`quintet vee run` estimates what can be estimated; or enter what was read.",
        )  # fmt: skip


def _weights(agreed: Agreement, flats: list[str], areas: dict[str, float]) -> list[Fraction] | None:
    """Give each flat's weight; None: equal ones."""
    if agreed.share == "equal":
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


def _told(
    found: complexes.Allocation, whole: Bill | None, agreed: Agreement, place: str, month: str, commodity: str,
    shared_use: Fraction, areas: dict[str, float], known_us: int, tz: ZoneInfo,
) -> Allocation:  # fmt: skip
    """Write the shares."""
    one = found.flats[0].own
    ratio = units()[one.unit].ratio
    english, korean = METHODS[agreed.contract or ""]
    how = HOW[agreed.share]
    uses = sum((flat.own.use for flat in found.flats), Fraction(0))
    return Allocation(
        known_at=_moment(known_us, tz),
        place=place,
        month=month,
        commodity=commodity,
        contract=agreed.contract or "",
        share=agreed.share,
        method_en=english.format(how=how[0]),
        method_ko=korean.format(how=how[1]),
        whole_use=decimal_of(uses + shared_use / ratio),
        common_use=decimal_of(shared_use / ratio),
        unit=one.unit,
        whole_items=[
            UtilityBillItem(
                line.item, line.name_en, line.name_ko, None if line.won is None else decimal_of(line.won), line.lacks
            )
            for line in (whole.lines if whole is not None else ())
        ],
        common_won=found.common_won,
        total_won=found.total_won,
        flats=[
            FlatShare(
                flat.name, decimal_of(flat.own.use), flat.own.unit, areas.get(flat.name), int(flat.own.total),
                flat.common_won, flat.total_won,
            )
            for flat in found.flats
        ],
        cards=[card_row(row) for row in (*one.cards, *one.levies)],
    )  # fmt: skip


def _moment(known_us: int, tz: ZoneInfo) -> datetime:
    return from_us(known_us).astimezone(tz)
