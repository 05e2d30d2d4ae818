"""The points of the list that closes a building's month: each a function of what was read, with its figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from quintet.access.buildings import Exchanged, Fault, Move
from quintet.tariffs.dwellings import Reckoned
from quintet.terms.commodity import Commodities
from quintet.terms.period import day_of_number
from quintet.terms.premise_use import PremiseUse

from .answers_manager import BuildingAllocation, ClosePoint, CloseRow
from .manager_places import natural
from .manager_words import Both, words
from .series import share

OK, ATTENTION, BLOCKED, NONE = "ok", "attention", "blocked", "none"
ORDER = (NONE, OK, ATTENTION, BLOCKED)
NO_RATES = frozenset({"no_card", "no_price", "provisional"})
NO_CONTRACT = frozenset({"not_agreed", "lacks", "not_possible"})
JUDGED_DAYS = 7
"""A week is judged as a whole: what is judged up to it is up to date until its end."""


@dataclass(frozen=True)
class Month:
    """What a month's list is made of; moments are microseconds since 1970 UTC, days local.

    `move_days` holds what each moved dwelling's meters told on the day of a move. `bills` are reckoned; `issued` counts
    those issued already, with the adjustments on them and their won.
    """

    place: str
    month: str
    first: date
    end: date
    today: date
    commodities: Commodities
    flats: Sequence[PremiseUse]
    common: Sequence[PremiseUse]
    head: Sequence[PremiseUse]
    judged: int | None
    faults: Sequence[Fault]
    won: int
    exchanged: Sequence[Exchanged]
    moves: Sequence[Move]
    move_days: Mapping[tuple[str, int], Sequence[PremiseUse]]
    no_occupant: Sequence[str]
    no_area: Sequence[str]
    by_area: bool
    bills: Sequence[Reckoned]
    issued: int
    adjusted: int
    adjusted_won: int

    @property
    def over(self) -> bool:
        """Whether the month's last day is over."""
        return self.today >= self.end

    def name(self, commodity: str) -> Both:
        """Give a utility's names."""
        row = self.commodities[commodity]
        return Both(row.name_en, row.name_ko)


def worst(states: Iterable[str]) -> str:
    """Give the worst of some states; of none, that there is nothing to look at."""
    return max(states, key=ORDER.index, default=NONE)


def listed(places: Iterable[str]) -> str:
    """Name some places, the rest counted."""
    every, most = sorted(set(places), key=natural), words().limits["names_shown"]
    more = f" +{len(every) - most}" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def utilities(month: Month, codes: Iterable[str]) -> Both:
    """Name some utilities."""
    names = [month.name(code) for code in sorted(set(codes))]
    return Both(", ".join(one.en for one in names), ", ".join(one.ko for one in names))


def point(month: Month, code: str, state: str, figure: Both, rows: Sequence[CloseRow] = ()) -> ClosePoint:
    """Write one point."""
    row = words().row("close", code)
    following = (month.end + timedelta(days=0)).strftime("%Y-%m")
    mend = str(row.more["mend"]).format(place=month.place, month=month.month, next=following)
    return ClosePoint(code, row.en, row.ko, state, figure.en, figure.ko, list(rows), mend, str(row.more["page"]))


def over(month: Month) -> ClosePoint:
    """Tell whether the month is over."""
    last = (month.end - timedelta(days=1)).isoformat()
    said = words().said("figure", "over" if month.over else "under_way", month=month.month, day=last)
    return point(month, "over", OK if month.over else BLOCKED, said)


def readings(month: Month) -> ClosePoint:
    """Of each utility, what share was measured, estimated and is missing, and in how many flats."""
    rows: list[CloseRow] = []
    missing_flats: set[str] = set()
    largest = Fraction(0)
    for code in sorted({one.commodity for one in month.flats}):
        own = [one for one in month.flats if one.commodity == code]
        due, measured, estimated = (
            sum(getattr(one, name) for one in own) for name in ("expected_min", "arrived_min", "estimated_min")
        )
        if not due:
            continue
        gone = {one.place for one in own if one.arrived_min + one.estimated_min < one.expected_min}
        missing_flats |= gone
        guessed = Fraction(estimated, due)
        largest = max(largest, guessed)
        much = guessed * 100 > words().limits["estimated_percent"]
        name, parts = month.name(code), [_percent(Fraction(part, due)) for part in (measured, estimated)]
        rest = _percent(1 - Fraction(measured + estimated, due))
        places = f": {listed(gone)}" if gone else ""
        rows.append(
            CloseRow(
                code, BLOCKED if gone else ATTENTION if much else OK,
                f"{name.en}: {parts[0]} % measured, {parts[1]} % estimated, {rest} % missing{places}",
                f"{name.ko}: 실측 {parts[0]} %, 추정 {parts[1]} %, 결측 {rest} %{places}",
                len(gone), share(measured / due),
            )
        )  # fmt: skip
    if not rows:
        return point(month, "readings", ATTENTION, words().said("figure", "no_readings"))
    gaps = {"utilities": len(rows), "missing": len(missing_flats), "estimated": _percent(largest)}
    return point(month, "readings", worst(one.state for one in rows), words().said("figure", "readings", **gaps), rows)


def _percent(part: Fraction) -> str:
    """Write a share in percent, so that what is not nothing never reads as nothing, nor as all."""
    if 0 < part < Fraction(1, 1000):
        return "<0.1"
    if Fraction(999, 1000) < part < 1:
        return ">99.9"
    return f"{float(part) * 100:.1f}"


def exceptions(month: Month) -> ClosePoint:
    """Say what is open against meters of the building, and whether the month was judged at all."""
    figure = words().said
    if month.judged is None:
        return point(month, "exceptions", ATTENTION, figure("figure", "never_judged"))
    kinds: dict[str, list[Fault]] = {}
    for one in month.faults:
        kinds.setdefault(one.kind, []).append(one)
    rows = [
        CloseRow(
            code, ATTENTION, f"{own[0].words['name_en']}: {listed(one.place for one in own)}",
            f"{own[0].words['name_ko']}: {listed(one.place for one in own)}", len(own), None,
        )
        for code, own in sorted(kinds.items())
    ]  # fmt: skip
    count = len({one.item for one in month.faults})
    judged = day_of_number(month.judged)
    if judged + timedelta(days=JUDGED_DAYS) < min(month.end, month.today):
        return point(
            month, "exceptions", ATTENTION, figure("figure", "behind", count=count, day=judged.isoformat()), rows
        )
    if not rows:
        return point(month, "exceptions", OK, figure("figure", "none_open"))
    return point(
        month, "exceptions", ATTENTION, figure("figure", "exceptions", count=count, won=f"{month.won:,}"), rows
    )


def exchanges(month: Month) -> ClosePoint:
    """Meters exchanged in the month, and whether both registers were stated."""
    if not month.exchanged:
        return point(month, "exchanges", OK, words().said("figure", "no_exchanges"))
    rows: list[CloseRow] = []
    for one in month.exchanged:
        lacks = False in (one.last, one.first)
        told = {True: Both("stated", "있음"), False: Both("missing", "없음"), None: Both("no register", "지침 없음")}
        last, first = told[one.last], told[one.first]
        rows.append(
            CloseRow(
                one.place, ATTENTION if lacks else OK,
                f"{one.place}: {one.old} to {one.new}; last register {last.en}, first register {first.en}",
                f"{one.place}: {one.old} → {one.new}; 철거 지침 {last.ko}, 설치 지침 {first.ko}", None, None,
            )
        )  # fmt: skip
    lacking = sum(row.state != OK for row in rows)
    said = words().said("figure", "exchanges", count=len(rows), lacking=lacking)
    return point(month, "exchanges", worst(row.state for row in rows), said, rows)


def moves(month: Month) -> ClosePoint:
    """List moves in the month, and whether the meters of the dwelling were measured on that day."""
    if not month.moves:
        return point(month, "moves", OK, words().said("figure", "no_moves"))
    rows: list[CloseRow] = []
    for one in month.moves:
        own = month.move_days.get((one.place, one.at_us), ())
        lacking = sorted({use.commodity for use in own if use.arrived_min < use.expected_min or not use.expected_min})
        way = Both("moved in", "입주") if one.into else Both("moved out", "퇴거")
        names = utilities(month, lacking)
        rows.append(
            CloseRow(
                one.place, ATTENTION if lacking or not own else OK,
                f"{one.place}: {way.en}; " + (f"not measured that day: {names.en or 'no meter'}" if lacking or not own
                                              else "measured that day"),
                f"{one.place}: {way.ko}; " + (f"당일 실측 없음: {names.ko or '계량기 없음'}" if lacking or not own
                                              else "당일 실측 있음"),
                len(lacking), None,
            )
        )  # fmt: skip
    bad = sum(row.state != OK for row in rows)
    said = words().said("figure", "moves", count=len(rows), lacking=bad)
    return point(month, "moves", worst(row.state for row in rows), said, rows)


def main_meter(month: Month) -> ClosePoint:
    """Compare what came in at the main meter against what flats and common area used, by utility."""
    heads = sorted({one.commodity for one in month.head})
    if not heads:
        return point(month, "main_meter", NONE, words().said("figure", "no_main"))
    rows = [_main_row(month, code) for code in heads]
    unknown = [row.of for row in rows if row.share is None]
    compared = [row for row in rows if row.share is not None]
    said = words().said("figure", "main_unknown", utilities=utilities(month, unknown))
    if compared:
        told = Both("; ".join(row.en for row in compared), "; ".join(row.ko for row in compared))
        said = words().said("figure", "main_meter", said=told)
    return point(month, "main_meter", worst(row.state for row in rows), said, rows)


def _main_row(month: Month, code: str) -> CloseRow:
    """Compare one utility; what is not wholly known is not compared, nor what the main meter does not count."""
    own = [one for one in (*month.head, *month.flats, *month.common) if one.commodity == code]
    name, limits = month.name(code), words().limits
    bought = sum(one.value for one in month.head if one.commodity == code)
    used = sum(one.value for one in (*month.flats, *month.common) if one.commodity == code)
    if bought <= 0 or any(one.arrived_min + one.estimated_min < one.expected_min for one in own):
        english, korean = words().said("figure", "main_unknown", utilities=name)
        return CloseRow(code, ATTENTION, english, korean, None, None)
    lost = Fraction(bought - used, bought)
    off = lost * 100 > limits["loss_percent"] or -lost * 100 > limits["gain_percent"]
    percent = f"{abs(float(lost)) * 100:.1f}"
    less = Both(f"flats {percent} % less", f"세대 합계가 {percent} % 적음")
    more = Both(f"flats {percent} % more", f"세대 합계가 {percent} % 많음")
    words_ = less if lost >= 0 else more
    return CloseRow(
        code, ATTENTION if off else OK, f"{name.en}: {words_.en}", f"{name.ko}: {words_.ko}", None,
        share(float(lost)),
    )  # fmt: skip


def records(month: Month) -> ClosePoint:
    """Flats without occupant or area, and bills without a contract."""
    without = [one for one in month.bills if NO_CONTRACT & set(one.why)]
    gaps = {"occupants": len(month.no_occupant), "areas": len(month.no_area), "contracts": len(without)}
    blocked = bool(without) or (month.by_area and bool(month.no_area))
    open_ = any(gaps.values())
    rows: list[CloseRow] = []
    if month.no_occupant:
        rows.append(_places("occupants", ATTENTION, Both("no occupant", "거주자 없음"), month.no_occupant))
    if month.no_area:
        state = BLOCKED if month.by_area else ATTENTION
        rows.append(_places("areas", state, Both("no area", "면적 없음"), month.no_area))
    for code in sorted({one.metered.commodity for one in without}):
        own = [one.metered.place for one in without if one.metered.commodity == code]
        name = month.name(code)
        told = Both(f"{name.en}: no contract, or not all of it", f"{name.ko}: 계약 없음 또는 부족")
        rows.append(_places(code, BLOCKED, told, own))
    state = BLOCKED if blocked else ATTENTION if open_ else OK
    return point(month, "records", state, words().said("figure", "records", **gaps), rows)


def _places(of: str, state: str, what: Both, places: Sequence[str]) -> CloseRow:
    named = listed(places)
    return CloseRow(of, state, f"{what.en}: {named}", f"{what.ko}: {named}", len(set(places)), None)


def rates(month: Month) -> ClosePoint:
    """Whether a rate card is published for every bill of the month."""
    lacking = [one for one in month.bills if NO_RATES & set(one.why)]
    if not month.bills:
        return point(month, "rates", NONE, words().said("figure", "no_bills"))
    if not lacking:
        return point(month, "rates", OK, words().said("figure", "rates", bills=len(month.bills)))
    codes = {one.metered.commodity for one in lacking}
    gaps = {"lacking": len(lacking), "bills": len(month.bills), "utilities": utilities(month, codes)}
    return point(month, "rates", BLOCKED, words().said("figure", "no_rates", **gaps))


def allocation(month: Month, found: BuildingAllocation | None) -> ClosePoint:
    """Whether the complex' bill is shared, and the shares add up to it."""
    said = words().said
    if found is None:
        return point(month, "allocation", NONE, said("figure", "no_allocation"))
    if not found.whole:
        why = Both(found.why[0].en, found.why[0].ko)
        return point(month, "allocation", BLOCKED, said("figure", "allocation_open", why=why))
    if found.sum_won != found.total_won:
        gaps = {"sum": f"{found.sum_won:,}", "won": f"{found.total_won:,}"}
        return point(month, "allocation", BLOCKED, said("figure", "allocation_off", **gaps))
    gaps = {"won": f"{found.total_won:,}", "flats": len(found.flats)}
    return point(month, "allocation", OK, said("figure", "allocation", **gaps))


def bills(month: Month) -> ClosePoint:
    """How many of the month's bills are issued, and what adjustments they carry."""
    if not month.bills:
        return point(month, "bills", NONE, words().said("figure", "no_bills"))
    gaps = {
        "issued": month.issued, "bills": len(month.bills), "adjusted": month.adjusted,
        "won": f"{month.adjusted_won:,}",
    }  # fmt: skip
    state = OK if month.issued >= len(month.bills) else ATTENTION
    return point(month, "bills", state, words().said("figure", "bills", **gaps))
