"""The building manager's three pages: the walk to meters, the list that closes a month, the shared bill."""

from html import escape

from quintet.views.answers_bills import UtilityBillItem
from quintet.views.answers_manager import (
    BuildingAllocation,
    BuildingClose,
    BuildingFlat,
    BuildingVisits,
    ClosePoint,
    CloseRow,
    MeterVisit,
)

from .manager_html import Frame, chip, chooser, hidden, page, unit_name, within

MARKS = {"ok": ("good", "good"), "attention": ("watch", "watch"), "blocked": ("act", "act"), "none": ("", "")}
"""By state: the colour's class and the mark."""
SURE = {"high": "good", "medium": "watch", "low": ""}


def visits_page(frame: Frame, found: BuildingVisits, sure: dict[str, str]) -> str:
    """Write the walk; `sure` names how sure something is, in the reader's language."""
    count = found.open
    unjudged = found.judged_week is None
    # where nothing was judged nothing can be said to be sound
    none = "visits.unknown" if unjudged else "visits.none"
    key = {0: none, 1: "visits.one"}.get(count, "visits.many")
    chips = [chip("", frame.t("as-of", at=frame.moment(found.known_at)))]
    if found.judged_week is not None:
        chips.append(chip("", frame.t("visits.judged", day=frame.day(found.judged_week))))
    if found.waiting:
        chips.append(chip("watch", frame.t("visits.waiting", count=found.waiting), "watch"))
    csv = f'<a class="no-print" href="{escape(frame.address("visits.csv"))}">{frame.t("csv")}</a>'
    parts = [
        f'<p class="chips">{"".join(chips)}</p>', chooser(frame), f'<p class="note lead">{frame.t("visits.lead")}</p>',
        f'<p class="problem" role="alert">{frame.t("visits.unjudged")}</p>' if unjudged else "",
        f'<p class="note no-print">{csv} · {frame.t("print")}</p>' if found.visits else "",
        f'<ol class="walk" id="list">{"".join(_visit(frame, one, found, sure) for one in found.visits)}</ol>'
        if found.visits
        else f'<p class="note" id="list">{frame.t("visits.empty-lead")}</p>',
    ]  # fmt: skip
    if found.sound:
        rows = "".join(
            _line(within(one.place, found.place), f"{frame.of(one, 'name')}: {frame.of(one.evidence)}")
            for one in found.sound
        )
        parts.append(f'<section><h2>{frame.t("visits.sound")}</h2><ul class="rows">{rows}</ul></section>')
    if found.done:
        rows = "".join(
            _line(within(one.place, found.place), f"{frame.of(one, 'name')}: {_done(frame, one)}") for one in found.done
        )
        parts.append(f'<section><h2>{frame.t("visits.done")}</h2><ul class="rows">{rows}</ul></section>')
    heading = f"{frame.of(found, 'name')}: {frame.t(key, count=count)}"
    return page(frame, heading, "".join(parts))


def _line(name: str, text: str) -> str:
    return f"<li><b>{name}</b><span>{text}</span></li>"


def _done(frame: Frame, one: MeterVisit) -> str:
    said = one.visited
    if said is None:
        return ""
    text = frame.t(
        "visits.done-row", day=frame.day(said.at.date()), by=said.by, found=getattr(said.found, frame.language)
    )
    return f"{text} · {escape(said.note)}"


def _visit(frame: Frame, one: MeterVisit, found: BuildingVisits, sure: dict[str, str]) -> str:
    """Write one meter of the walk."""
    where = frame.t("visit.common") if not one.flat else escape(one.flat)
    floor = "" if one.floor is None else f" ({frame.t('visit.floor', floor=one.floor)})"
    serious = one.kind in ("dead_meter", "unusable")
    chips = [
        chip("act" if serious else "watch", frame.of(one, "kind"), "act" if serious else "watch"),
        chip("", frame.t("visit.since", day=frame.day(one.since), days=one.days)),
        chip(SURE[one.evidence.sure], escape(sure[one.evidence.sure])) if one.evidence.sure else "",
        chip("watch", frame.t("visit.empty"), "watch") if one.probably_empty else "",
        chip("", frame.t("visit.waiting")) if one.state == "waiting" else "",
    ]
    notes = "".join(f'<p class="said">{frame.of(note)}</p>' for note in one.notes)
    lived = f"{frame.of(one.lived_in)} <small>({escape(sure[one.lived_in.sure])})</small>" if one.lived_in.sure else ""
    checks = "".join(f"<li>{frame.of(check)}</li>" for check in one.checks)
    unknown = frame.t("visit.unknown")
    usual = unknown if one.usual_a_day is None else f"{float(one.usual_a_day):,.2f} {unit_name(one.unit)}"
    share = unknown if one.uncertain_share is None else f"{one.uncertain_share * 100:.1f} %"
    won = unknown if one.won_a_day is None else frame.won(one.won_a_day)
    return (
        f'<li><article class="card" data-commodity="{escape(one.commodity)}" data-channel="{escape(one.channel)}"'
        f' data-state="{one.state}"><h2><span class="nr">{one.number}</span>'
        f"<span>{frame.of(one, 'building')} · {where}{floor}</span>"
        f'<span class="what">{frame.of(one, "name")}</span></h2>'
        f'<p class="chips">{"".join(chips)}</p>{notes}<p class="said">{frame.of(one.evidence)}</p>'
        f'<p class="said">{lived}</p><dl class="facts">'
        f"<div><dt>{frame.t(f'visit.usual-{one.usual_of}')}</dt><dd>{usual}</dd></div>"
        f"<div><dt>{frame.t('visit.share')}</dt><dd>{share}</dd></div>"
        f"<div><dt>{frame.t('visit.won')}</dt><dd>{won}</dd></div></dl>"
        f'<p class="small">{frame.t("visit.checks")} · {escape(one.channel)}</p><ul class="checks">{checks}</ul>'
        f"{_tick(frame, one, found)}</article></li>"
    )


def _tick(frame: Frame, one: MeterVisit, found: BuildingVisits) -> str:
    """Write the form by which a visit is written down; it works without a script."""
    options = "".join(f'<option value="{text.code}">{frame.of(text)}</option>' for text in found.findings)
    return (
        f'<details class="tick"><summary>{frame.t("visit.tick")}</summary>'
        '<form method="post" action="/building/visits">'
        f"{hidden(place=frame.place, lang=frame.language, channel=one.channel)}"
        f'<label><span>{frame.t("visit.found")}</span><select name="found">{options}</select></label>'
        f'<label><span>{frame.t("visit.note")}</span><input name="note" maxlength="400" autocomplete="off"></label>'
        f'<button class="main" type="submit">{frame.t("visit.save")}</button></form></details>'
    )


def close_page(frame: Frame, found: BuildingClose) -> str:
    """Write the list that closes a month."""
    key = {0: "close.ready", 1: "close.one"}.get(found.open, "close.many")
    points = "".join(_point(frame, one) for one in found.points)
    parts = [
        f'<p class="chips">{chip("", frame.t("as-of", at=frame.moment(found.known_at)))}</p>', chooser(frame),
        f'<p class="note lead">{frame.t("close.lead")}</p>', _closed(frame, found),
        f'<ol class="points" id="list">{points}</ol>', _closing(frame, found),
    ]  # fmt: skip
    heading = f"{frame.of(found, 'name')}, {frame.t(key, month=frame.month_name(found.month), count=found.open)}"
    return page(frame, heading, "".join(parts))


def _point(frame: Frame, one: ClosePoint) -> str:
    colour, mark = MARKS[one.state]
    rows = "".join(_row(frame, row) for row in one.rows)
    more = (
        f'<details><summary>{frame.t("close.details")}</summary><ul class="rows">{rows}</ul></details>' if rows else ""
    )
    mend = ""
    if one.state in ("attention", "blocked"):
        mend = f'<p class="small">{frame.t("close.mend")}: <code>{escape(one.mend)}</code></p>' if one.mend else ""
        if one.page:
            mend += f'<p><a href="{escape(frame.address(one.page))}">{frame.t("close.page")}</a></p>'
    return (
        f'<li><article class="card" data-point="{one.code}" data-state="{one.state}"><h2>{frame.of(one, "name")}'
        f"{chip(colour, frame.t(f'close.state.{one.state}'), mark)}</h2>"
        f'<p class="said">{frame.of(one, "figure")}</p>{more}{mend}</article></li>'
    )


def _row(frame: Frame, row: CloseRow) -> str:
    colour, mark = MARKS[row.state]
    return f"<li>{chip(colour, frame.t(f'close.state.{row.state}'), mark)}<span>{frame.of(row)}</span></li>"


def _closed(frame: Frame, found: BuildingClose) -> str:
    if found.closed is None:
        return ""
    said = found.closed
    text = frame.t("close.closed", day=frame.moment(said.at), by=said.by, reason=said.reason)
    names = {one.code: getattr(one, f"name_{frame.language}") for one in found.points}
    points = ", ".join(names.get(code, code) for code in said.open_points)
    open_ = f"<br><small>{frame.t('close.closed-open', points=points)}</small>" if points else ""
    return f'<p class="closed" role="status">{text}{open_}</p>'


def _closing(frame: Frame, found: BuildingClose) -> str:
    if not found.over:
        return f'<p class="note sum">{frame.t("close.not-over")}</p>'
    label = frame.t("close.reason" if found.open else "close.reason-none")
    needed = " required" if found.open else ""
    return (
        '<section class="tick"><form method="post" action="/building/close">'
        f"{hidden(place=frame.place, lang=frame.language, month=found.month)}"
        f'<label><span>{label}</span><input name="reason" maxlength="400" autocomplete="off"{needed}></label>'
        f'<button class="main" type="submit">{frame.t("close.do", month=frame.month_name(found.month))}</button>'
        "</form></section>"
    )


def allocation_page(frame: Frame, found: BuildingAllocation, common_won: int | None) -> str:
    """Write the shared bill and how it came about."""
    heading = (
        frame.t("allocation.title", won=frame.text("won", won=f"{found.total_won:,}"), flats=len(found.flats))
        if found.whole
        else frame.t("allocation.open")
    )
    chips = [chip("", frame.t("as-of", at=frame.moment(found.known_at)))]
    chips += [] if found.over else [chip("watch", frame.t("allocation.so-far"), "watch")]
    chips += [chip("watch", frame.t("allocation.provisional"), "watch")] if found.provisional else []
    value = "" if common_won is None else str(common_won)
    common = (
        f'<label><span>{frame.t("choose.common")}</span><input name="common_won" value="{value}" inputmode="numeric"'
        ' pattern="[0-9]{1,9}" size="10"></label>'
    )
    why = "".join(f'<p class="problem" role="alert">{frame.of(one)}</p>' for one in found.why)
    rules = "".join(f"<li><span>{frame.of(one)}</span></li>" for one in found.rules)
    csv = frame.address("allocation.csv", common_won=value, commodity=found.commodity)
    parts = [
        f'<p class="chips">{"".join(chips)}</p>', chooser(frame, common), why,
        f'<section><h2>{frame.t("allocation.method")}</h2><p class="said">{frame.of(found, "method")}</p>'
        f"{_sums(frame, found)}</section>",
        f'<section><h2>{frame.t("allocation.flats")}</h2><p class="no-print"><a href="{escape(csv)}">'
        f'{frame.t("csv")}</a></p>{_table(frame, found)}</section>',
        f'<section><h2>{frame.t("allocation.details")}</h2>'
        f"{''.join(_flat(frame, one, found.place) for one in found.flats if one.items or one.stretches)}</section>"
        if found.whole else "",
        f'<section><h2>{frame.t("allocation.rules")}</h2><ul class="rows">{rules}</ul></section>', _cards(frame, found),
    ]  # fmt: skip
    return page(frame, f"{frame.of(found, 'name')}, {frame.month_name(found.month)}: {heading}", "".join(parts))


def _sums(frame: Frame, found: BuildingAllocation) -> str:
    if not found.whole:
        return ""
    key = "allocation.proof" if found.sum_won == found.total_won else "allocation.off"
    gaps = {name: frame.text("won", won=f"{amount:,}") for name, amount in
            (("sum", found.sum_won or 0), ("won", found.total_won or 0))}  # fmt: skip
    parts = (("own", found.own_won), ("common", found.common_won), ("rest", found.rest_won))
    facts = "".join(
        f"<div><dt>{frame.t(f'allocation.{name}')}</dt><dd>{frame.won(won)}</dd></div>" for name, won in parts
    )
    bill = (
        f"<details><summary>{frame.t('allocation.common-bill')}</summary>{_items(frame, found.whole_items)}</details>"
        if found.whole_items
        else ""
    )
    return f'<dl class="facts sum">{facts}</dl><p class="said sum">{frame.t(key, **gaps)}</p>{bill}'


def _items(frame: Frame, items: list[UtilityBillItem]) -> str:
    rows = "".join(
        f"<li><span>{frame.of(one, 'name')}: "
        f"{escape(one.lacks) if one.won is None else frame.t('won', won=f'{one.won:,f}')}</span></li>"
        for one in items
    )
    return f'<ul class="rows">{rows}</ul>'


def _table(frame: Frame, found: BuildingAllocation) -> str:
    names = ("place", "total", "own", "common", "use", "area", "weight", "exact", "rest")
    head = "".join(f'<th scope="col">{frame.t(f"flat.{name}")}</th>' for name in names)
    rows = "".join(_table_row(frame, one, found.place) for one in found.flats)
    foot = (
        f'<tr><th scope="row">{frame.t("allocation.sum")}</th><td>{frame.won(found.sum_won)}</td>'
        f"<td>{frame.won(found.own_won)}</td><td>{frame.won(found.common_won)}</td>"
        f'<td colspan="4"></td><td>{"–" if found.rest_won is None else found.rest_won}</td></tr>'
    )
    label = frame.t("allocation.flats")
    return (
        f'<div class="table-wrap" id="list" tabindex="0" role="region" aria-label="{label}"><table><thead><tr>{head}'
        f"</tr></thead><tbody>{rows}</tbody><tfoot>{foot}</tfoot></table></div>"
    )


def _table_row(frame: Frame, one: BuildingFlat, building: str) -> str:
    marks = [] if one.reading == "measured" else [frame.t(f"reading.{one.reading}")]
    marks += [frame.t("flat.vacant")] if one.occupied is False else []
    marks += [frame.t("flat.moved")] if one.stretches else []
    small = f'<span class="small">{" · ".join(marks)}</span>' if marks else ""
    use = "–" if one.use is None else f"{float(one.use):,.1f} {unit_name(one.unit)}"
    area = "–" if one.area_m2 is None else f"{one.area_m2:,.1f}"
    weight = "–" if one.weight is None else f"{float(one.weight) * 100:.3f} %"
    exact = "–" if one.exact_won is None else f"{one.exact_won:,f}"
    return (
        f'<tr data-flat="{escape(one.place)}"><th scope="row">{within(one.place, building)}{small}</th>'
        f"<td>{frame.won(one.total_won)}</td><td>{frame.won(one.own_won)}</td><td>{frame.won(one.common_won)}</td>"
        f"<td>{use}</td><td>{area}</td><td>{weight}</td><td>{exact}</td>"
        f"<td>{'–' if one.rest_won is None else one.rest_won}</td></tr>"
    )


def _flat(frame: Frame, one: BuildingFlat, building: str) -> str:
    """Write how one flat's amount came about."""
    stretches = "".join(
        "<li><span>"
        + frame.t("flat.stretch", first=frame.day(part.first), last=frame.day(part.last), days=part.days,
                  won=frame.text("won", won=f"{part.won:,}"))
        + ("" if part.occupied else f" · {frame.t('flat.stretch-vacant')}") + "</span></li>"
        for part in one.stretches
    )  # fmt: skip
    return (
        f'<details class="flat-more"><summary>{within(one.place, building)}: {frame.won(one.total_won)}</summary>'
        f'{_items(frame, one.items)}<p class="small">{frame.t("allocation.common")}: {frame.won(one.common_won)}</p>'
        f"{f'<ul class=rows>{stretches}</ul>' if stretches else ''}</details>"
    )


def _cards(frame: Frame, found: BuildingAllocation) -> str:
    if not found.cards:
        return ""
    rows = "".join(
        f"<li><span>{frame.of(card, 'name')} ({escape(card.certainty)}): {escape(source)}</span></li>"
        for card in found.cards
        for source in [card.source_ko if frame.language == "ko" else card.source]
    )
    return (
        f'<section><details><summary>{frame.t("allocation.sources")}</summary><ul class="rows">{rows}</ul></details>'
        "</section>"
    )
