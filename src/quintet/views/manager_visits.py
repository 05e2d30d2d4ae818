"""The walk to meters that do not measure: each with its evidence, who may be there, what to look at.

Which meter is silent, dead or of no use is the queue's to say (`quintet vee run`); here it gets the order of a walk.
A day is told of a meter that does not measure: since when. Of what a dwelling or building uses, and of flats in which
nobody is, only whole months that are over are told: figures of a month under way tell single days to who asks daily.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from quintet.access import Access
from quintet.access.bills import premise_use
from quintet.access.buildings import Fault, Said, faults, judged_until, said_at, sound_zeros, unoccupied
from quintet.access.roles import MONTH_MIN
from quintet.terms.length import DAY_US
from quintet.terms.period import Span, day_of_number, day_start, from_us, local_day, to_us
from quintet.terms.premise_use import PremiseUse

from .answers_manager import BuildingVisits, EmptyFlat, MeterVisit, VisitSaid, WorkText
from .manager_places import own_building, spot_of, text_of
from .manager_words import Both, words
from .series import share

VISITED, VACANT = "meter_visit", "confirmed_vacant"
AT_ONCE = "concentrator"
"""The check that is worth a look only where several meters failed together."""
OPEN, WAITING, DONE = "open", "waiting", "done"


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around the meters of a building: use of the last whole months, vacancies, what visits found."""

    use: Mapping[str, Mapping[str, tuple[int, int]]]
    """By flat and utility: what was counted in sub-units, and the minutes that were measured."""
    total: Mapping[str, int]
    vacant: frozenset[str]
    nobody: frozenset[str]
    visits: Mapping[str, Said]
    now_us: int
    tz: ZoneInfo
    first: date
    end: date
    """The days [first, end) are looked back on."""

    @property
    def days(self) -> int:
        """Count them."""
        return (self.end - self.first).days


def building_visits(access: Access, place: str, now_us: int) -> BuildingVisits:
    """Give the walk through a building; raises as `own_building` does, and Forbidden as the rights say."""
    name = own_building(access, place)
    tz = access.registry().tz
    today = local_day(from_us(now_us), tz)
    first, end = months_around(today, words().limits["life_months"])
    span = Span(day_start(first, tz), day_start(end, tz))
    with access.asking(place, None, span, MONTH_MIN, each=True, running=True) as asked:
        week = judged_until(asked)
        found = faults(asked, place, frozenset(words().visits))
        since = to_us(day_start(day_of_number(week), tz)) if week is not None else asked.until_us
        sound = sound_zeros(asked, place, since)
        over = today.replace(day=1)
        rows = premise_use(asked, place, first, over)
        empty, kept = unoccupied(asked, place, asked.until_us)
        vacant = {one.place for one in said_at(asked, place, [VACANT], asked.until_us, asked.until_us + 1)}
        said = {one.channel: one for one in said_at(asked, place, [VISITED], None, None)}
        known, now = asked.known_us, asked.until_us
    around = _around(rows, vacant, empty if kept else [], said, now, tz, (first, over))
    every = sorted(
        (_visit(access, one, also, around) for one, also in _by_meter(found)),
        key=lambda one: (*spot_of(access, one.place).order, one.commodity, one.channel, one.exception),
    )
    walk = [one for one in every if one.state != DONE]
    return BuildingVisits(
        known_at=from_us(known).astimezone(tz),
        place=place,
        name_en=name.en,
        name_ko=name.ko,
        judged_week=None if week is None else day_of_number(week),
        open=sum(one.state == OPEN for one in walk),
        waiting=sum(one.state == WAITING for one in walk),
        visits=[msgspec.structs.replace(one, number=at) for at, one in enumerate(walk, 1)],
        done=[one for one in every if one.state == DONE],
        sound=empty_flats(access, sound, over, tz),
        findings=[text_of("found", code) for code in words().rows["found"]],
    )


def months_around(today: date, back: int) -> tuple[date, date]:
    """Give the first day of the month so many before a day's, and that of the month after it: whole months only."""
    month = today.year * 12 + today.month - 1
    first, end = month - back, month + 1
    return date(first // 12, first % 12 + 1, 1), date(end // 12, end % 12 + 1, 1)


def _around(
    rows: Sequence[PremiseUse], vacant: set[str], nobody: Sequence[str], said: Mapping[str, Said], now_us: int,
    tz: ZoneInfo, looked: tuple[date, date],
) -> Around:  # fmt: skip
    """Arrange what is known by flat and utility; the stretches of a flat that moves cut are added up."""
    use: dict[str, dict[str, tuple[int, int]]] = {}
    total: dict[str, int] = {}
    for one in rows:
        own = use.setdefault(one.place, {})
        value, heard = own.get(one.commodity, (0, 0))
        own[one.commodity] = (value + one.value, heard + one.arrived_min)
        total[one.commodity] = total.get(one.commodity, 0) + one.value
    return Around(use, total, frozenset(vacant), frozenset(nobody), said, now_us, tz, *looked)


def _by_meter(found: Sequence[Fault]) -> list[tuple[Fault, list[Fault]]]:
    """Give each meter once, by what matters most in the order of the words, with what else stands against it."""
    order = list(words().visits)
    of: dict[str, list[Fault]] = {}
    for one in sorted(found, key=lambda one: (order.index(one.kind), one.since_us, one.item)):
        of.setdefault(one.channel, []).append(one)
    return [(own[0], own[1:]) for own in of.values()]


def _visit(access: Access, fault: Fault, also: Sequence[Fault], around: Around) -> MeterVisit:
    """Write one meter of the walk; its number comes with the order."""
    registry = access.registry()
    commodity = registry.commodities[registry.channel_by_name(fault.channel).reading.commodity]
    quantity = registry.channel_by_name(fault.channel).quantity
    spot = spot_of(access, fault.place)
    unit = commodity.display_unit(quantity)
    own, theirs = fault.figures.get("usual_a_day"), fault.figures.get("neighbours_mean")
    usual = own or theirs or None
    over = fault.figures.get("days") or fault.figures.get("zero_days")
    since = local_day(from_us(fault.since_us), around.tz)
    heard = from_us(min(fault.until_us, around.now_us))  # what is not judged yet is not known
    days = max((local_day(heard, around.tz) - since).days, 0)
    whole = around.total.get(commodity.code, 0)
    life = _life(fault, commodity.code, around)
    state, notes, visited = _visited(fault, around)
    if fault.shared is not None:
        notes = [text_of("note", "shared", channels=fault.channels), *notes]
    for name in dict.fromkeys((one.words["name_en"], one.words["name_ko"]) for one in also):
        notes = [*notes, text_of("note", "also", kind=Both(*name))]
    shown = None if usual is None else unit.to_decimal(usual)
    return MeterVisit(
        0, state, fault.channel, commodity.code, commodity.name_en, commodity.name_ko, fault.place, spot.building,
        spot.building_name.en, spot.building_name.ko, spot.flat, spot.floor, fault.kind, fault.words["name_en"],
        fault.words["name_ko"], fault.item, since, days, _evidence(fault, days, shown, unit.code), life,
        bool(words().row("life", life.code).more["empty"]), notes, shown,
        "own" if own or not theirs else "neighbours", unit.code,
        share(usual * around.days / whole) if usual and whole > 0 else None,
        round(fault.won / over) if fault.won and over else None,
        [text_of("check", code) for code in words().visits[fault.kind]
         if code != AT_ONCE or fault.shared is not None],
        fault.words["action_en"], fault.words["action_ko"], visited,
    )  # fmt: skip


def _evidence(fault: Fault, days: int, usual: Decimal | None, unit: str) -> WorkText:
    """Say in words what speaks for it: by the finding's reason, else by its rule."""
    known = words().rows["evidence"]
    code = next((one for one in (fault.reason, fault.rule) if one in known), "other")
    if code == "silent" and usual is None:
        code = "never"
    gaps = {
        **fault.figures,
        "days": days,
        "usual": "" if usual is None else f"{plain(usual)} {unit.replace('m3', 'm³')}",
    }
    return text_of("evidence", code, **gaps, rule=fault.rule or fault.kind, item=fault.item)


def plain(amount: Decimal) -> str:
    """Write an amount as people read it: two decimals under 10, one under 100, none above."""
    return f"{amount:,.{2 if abs(amount) < 10 else 1 if abs(amount) < 100 else 0}f}"


def _life(fault: Fault, commodity: str, around: Around) -> WorkText:
    """Say whether somebody lives there: what was stated, then what the flat's other meters counted."""
    flat = around.use.get(fault.place)
    others = {code: one for code, one in (flat or {}).items() if code != commodity}
    heard = {code: value for code, (value, minutes) in others.items() if minutes > 0}
    if fault.place in around.vacant:
        code = "vacant_stated"
    elif any(value > 0 for value in heard.values()):
        code = "used"
    elif fault.place in around.nobody:
        code = "nobody_registered"
    elif heard:
        code = "unused"
    elif others:
        code = "all_silent"
    else:
        code = "common" if flat is None else "alone"
    return text_of("life", code, first=around.first, last=around.end - timedelta(days=1))


def _visited(fault: Fault, around: Around) -> tuple[str, list[WorkText], VisitSaid | None]:
    """Say what the last visit since it began makes of it: done while nothing newer speaks against, waiting, or back."""
    said = around.visits.get(fault.channel)
    if said is None or said.from_us < fault.since_us:
        return OPEN, [], None
    rows = words().rows["found"]
    found = rows.get(said.detail)
    name = Both(said.detail, said.detail) if found is None else found.said()
    at = from_us(said.from_us).astimezone(around.tz)
    text = WorkText(said.detail, name.en, name.ko, "")
    visit = VisitSaid(said.number, at, said.actor, text, said.reason)
    gaps: dict[str, object] = {"day": at.date().isoformat(), "found": name}
    if found is None or not found.more["settles"]:
        return WAITING, [text_of("note", "waiting", **gaps)], visit
    if fault.until_us > said.from_us + words().limits["mended_days"] * DAY_US:
        return OPEN, [text_of("note", "back", **gaps)], visit
    return DONE, [], visit


def empty_flats(access: Access, found: Mapping[str, Any], over: date, tz: ZoneInfo) -> list[EmptyFlat]:
    """Write the meters at zero that need no visit, in the order of a walk: those of before this month, by month."""
    registry = access.registry()
    out: list[EmptyFlat] = []
    for channel, (_, reason, figures, from_us_, _) in found.items():
        commodity = registry.commodities[registry.channel_by_name(channel).reading.commodity]
        place = registry.place_of(registry.channel_ids[channel])
        month = local_day(from_us(from_us_), tz).replace(day=1)
        if month < over:
            text = text_of("evidence", reason, month=f"{month:%Y-%m}", neighbours=figures.get("neighbours", 0))
            names = commodity.name_en, commodity.name_ko
            out.append(EmptyFlat(channel, commodity.code, *names, place, f"{month:%Y-%m}", text))
    return sorted(out, key=lambda one: (*spot_of(access, one.place).order, one.channel))
