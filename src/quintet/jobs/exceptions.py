"""The queue of exceptions: findings that stand, put together by cause; opened, closed, reopened by evidence."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from quintet.registry import Registry
from quintet.store.audit import audit
from quintet.store.edits import standing_spans
from quintet.store.engine import Engine, Snapshot, Writing
from quintet.store.exceptions import CLOSED, OPEN, Item, Step, add_item, append_steps, items
from quintet.store.runs import standing_findings
from quintet.terms.errors import NotFound, UsageError

from .exception_kinds import HEARD, KEPT, NOW, Kind, Kinds, kinds
from .vee_units import UNIT_DAYS

MOST_EVIDENCE = 5
"""Findings that an item quotes whole."""
FOUND, CHANGED, BACK, GONE = "found", "changed", "came back", "the evidence is gone"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause as the findings that stand show it: since when, and what an item of it holds."""

    kind: str
    cause: str
    since_us: int
    content: Mapping[str, Any]


def reconcile(writing: Writing, registry: Registry, table: Kinds | None = None) -> int:
    """Bring the queue in step with the findings that stand, as part of a batch; gives how many items changed."""
    known = {(item.kind, item.cause): item for item in items(writing)}
    now = {(one.kind, one.cause): one for one in causes(writing, registry, table)}
    steps: list[tuple[int, Step]] = []
    added = 0
    for key, cause in sorted(now.items()):
        item = known.get(key)
        if item is None:
            add_item(writing, cause.kind, cause.cause, Step(OPEN, FOUND, "", cause.since_us, 0, cause.content))
            added += 1
        elif (step := _still(item, cause, table or kinds())) is not None:
            steps.append((item.id, step))
    for key, item in sorted(known.items()):
        if key not in now and (item.state == OPEN or item.actor):
            steps.append((item.id, Step(CLOSED, GONE, "", item.since_us, item.recurrences, item.content)))
    append_steps(writing, steps)
    return added + len(steps)


def _still(item: Item, cause: Cause, table: Kinds) -> Step | None:
    """Say what becomes of an item whose cause is there: changed, back again, or nothing new.

    What a person closed stays closed until the evidence was gone once, or, where single values are in question, newer
    ones are.
    """
    if item.state == OPEN:
        if item.since_us == cause.since_us and item.content == cause.content:
            return None
        return Step(OPEN, CHANGED, "", cause.since_us, item.recurrences, cause.content)
    newer = table.kinds[cause.kind].last == KEPT and cause.content["until_us"] > item.content["until_us"]
    if item.actor and not newer:
        return None
    return Step(OPEN, BACK, "", cause.since_us, item.recurrences + 1, cause.content)


def causes(snapshot: Snapshot, registry: Registry, table: Kinds | None = None) -> Iterator[Cause]:
    """Put the findings that stand together by cause, in order of kind and cause."""
    known = table or kinds()
    rows = standing_findings(snapshot).to_pylist()
    newest = int(snapshot.rows("select coalesce(max(unit), 0) from run_unit")[0][0])
    over = bool(snapshot.rows("select 1 from rollup_day where arrived > 0 having max(day) < ?", [newest]))
    since, heard = _began(rows), _heard(snapshot, rows, known)
    names = {number: name for name, number in registry.channel_ids.items()}
    said: dict[tuple[int, int], set[str]] = {}
    for row in rows:
        said.setdefault((row["channel"], row["unit"]), set()).add(row["rule"])
    by_kind: dict[str, list[Row]] = {}
    rows = [row for row in rows if _lasts(row, known, newest, heard)]
    holding, decided = _holding(rows, known, since), _decided(snapshot)
    for row in rows:
        kind = known.of(row["rule"], row["verdict"])
        if kind is None or row["channel"] not in names:
            continue
        if kind.explained_by & said[row["channel"], row["unit"]] - {row["rule"]}:
            continue
        if kind.of_values and any(
            low <= row["at_us"] and row["until_us"] <= high for low, high in decided.get(row["channel"], ())
        ):
            continue
        row["since_us"] = since[row["channel"], row["rule"], row["unit"]] if kind.last != KEPT else row["at_us"]
        row["name"] = names[row["channel"]]
        row["kind"] = kind.code
        for holder, low, high in holding.get((row["channel"], row["rule"]), ()):
            if row["at_us"] < high and row["until_us"] > low:
                kind, row["since_us"] = holder, low
                break
        by_kind.setdefault(kind.code, []).append(row)
    counts = _counts(registry)
    commodity = dict(zip(*(registry.channels()[name].to_pylist() for name in ("channel", "commodity")), strict=True))
    for code in sorted(by_kind):
        kind = known.kinds[code]
        alone = over and kind.last != KEPT and len(by_kind[code]) >= known.group_channels
        grouped = (_whole if alone else _groups)(by_kind[code], registry, counts, known) if kind.group else {}
        taken = {row["channel"] for rows in grouped.values() for row in rows}
        rest = [row for row in by_kind[code] if row["channel"] not in taken]
        for place, own in sorted(grouped.items()):
            yield _cause(kind, place, own, commodity, known, place)
        single: dict[str, list[Row]] = {}
        for row in rest:
            single.setdefault(_subject(kind, row), []).append(row)
        for cause, own in sorted(single.items()):
            yield _cause(kind, cause, own, commodity, known, _shared(own, registry))


def _heard(snapshot: Snapshot, rows: Iterable[Row], table: Kinds) -> dict[int, list[int]]:
    """List the local days with a measured value of the channels that have findings which last until they are heard."""
    kinds_of = [(row["channel"], table.of(row["rule"], row["verdict"])) for row in rows]
    numbers = sorted({number for number, kind in kinds_of if kind is not None and kind.last == HEARD})
    found = snapshot.rows(
        """select channel, day from rollup_day where channel in (select unnest($1)) group by all
            having sum(arrived) > 0 order by channel, day""",
        [numbers],
    )
    out: dict[int, list[int]] = {}
    for number, day in found:
        out.setdefault(int(number), []).append(int(day))
    return out


def _lasts(row: Row, table: Kinds, newest: int, heard: Mapping[int, list[int]]) -> bool:
    """Tell whether a finding still counts when the newest week that was judged is `newest`."""
    kind = table.of(row["rule"], row["verdict"])
    if kind is None or kind.last == KEPT:
        return kind is not None
    if kind.last == NOW:
        return row["unit"] == newest
    later = [day for day in heard.get(row["channel"], ()) if day >= row["unit"] + UNIT_DAYS]
    return len(later) < table.unusable_days


def _holding(
    rows: Iterable[Row], table: Kinds, since: Mapping[tuple[int, str, int], int]
) -> dict[tuple[int, str], list[tuple[Kind, int, int]]]:
    """Give for each channel and absorbed rule the findings that absorb it: their kind, from when and until when.

    What is not kept holds what was found since it began.
    """
    out: dict[tuple[int, str], list[tuple[Kind, int, int]]] = {}
    for row in rows:
        kind = table.of(row["rule"], row["verdict"])
        if kind is None:
            continue
        low = row["at_us"] if kind.last == KEPT else since[row["channel"], row["rule"], row["unit"]]
        for rule in kind.absorbs:
            own = out.setdefault((row["channel"], rule), [])
            own.insert(len(own) if kind.last == KEPT else 0, (kind, low, row["until_us"]))
    return out


def _decided(snapshot: Snapshot) -> dict[int, list[tuple[int, int]]]:
    """Give for each channel the ranges that people edited, those that touch joined."""
    out: dict[int, list[tuple[int, int]]] = {}
    columns = (standing_spans(snapshot)[name].to_pylist() for name in ("channel", "from_us", "until_us"))
    for channel, low, high in zip(*columns, strict=True):
        own = out.setdefault(channel, [])
        if own and low <= own[-1][1]:
            own[-1] = (own[-1][0], max(own[-1][1], high))
        else:
            own.append((low, high))
    return out


def _began(rows: Iterable[Row]) -> dict[tuple[int, str, int], int]:
    """Give for each channel, rule and unit when the present occurrence began: back over weeks without a break."""
    first: dict[tuple[int, str, int], int] = {}
    for row in rows:
        key = (row["channel"], row["rule"], row["unit"])
        first[key] = min(first.get(key, row["at_us"]), row["at_us"])
    out: dict[tuple[int, str, int], int] = {}
    for channel, rule, unit in sorted(first):
        here = first[channel, rule, unit]
        out[channel, rule, unit] = min(here, out.get((channel, rule, unit - UNIT_DAYS), here))
    return out


def _counts(registry: Registry) -> dict[str, int]:
    """Count the channels that stand at each place or below."""
    out: dict[str, int] = {}
    for number in registry.channel_ids.values():
        for place in registry.tree.path(registry.place_of(number)):
            out[place] = out.get(place, 0) + 1
    return out


def _groups(rows: list[Row], registry: Registry, counts: Mapping[str, int], table: Kinds) -> dict[str, list[Row]]:
    """Find the places of which so many channels began together that one cause is behind them, largest places first.

    Each is named by the lowest place that holds all of those channels.
    """
    out: dict[str, list[Row]] = {}
    at: dict[str, list[Row]] = {}
    for row in rows:
        for place in registry.tree.path(registry.place_of(row["channel"])):
            at.setdefault(place, []).append(row)
    taken: set[int] = set()
    for place in sorted(at, key=lambda name: (len(registry.tree.path(name)), name)):
        own = [row for row in at[place] if row["channel"] not in taken]
        for cluster in _together(own, table.onset_us):
            channels = {row["channel"] for row in cluster} - taken
            if len(channels) >= table.group_channels and len(channels) >= table.group_share * counts[place]:
                mine = [row for row in own if row["channel"] in channels]
                out.setdefault(_shared(mine, registry), []).extend(mine)
                taken |= channels
    return out


def _subject(kind: Kind, row: Row) -> str:
    """Name the cause of a finding that is in no group: its event, its channel, or that and its rule."""
    if kind.by_event:
        return f"event {json.loads(row['detail'])['event']}"
    return row["name"] if kind.by_channel or len(kind.rules) == 1 else f"{row['name']} {row['rule']}"


def _shared(rows: list[Row], registry: Registry) -> str:
    """Name the lowest place that holds all channels of some findings."""
    spots = [registry.tree.path(registry.place_of(number)) for number in {row["channel"] for row in rows}]
    return next((here for here in spots[0] if all(here in path for path in spots)), spots[0][-1])


def _whole(rows: list[Row], registry: Registry, _counts: Mapping[str, int], _table: Kinds) -> dict[str, list[Row]]:
    """Give a city of which nothing is heard any more as one cause, since half of its channels had fallen silent."""
    since = sorted(row["since_us"] for row in rows)[(len(rows) - 1) // 2]
    return {_shared(rows, registry): [{**row, "since_us": since} for row in rows]}


def _together(rows: list[Row], within_us: int) -> Iterator[list[Row]]:
    """Give findings in lots that began within so long of the lot's first."""
    lot: list[Row] = []
    for row in sorted(rows, key=lambda one: (one["since_us"], one["channel"])):
        if lot and row["since_us"] - lot[0]["since_us"] > within_us:
            yield lot
            lot = []
        lot.append(row)
    if lot:
        yield lot


def _cause(kind: Kind, cause: str, rows: list[Row], commodity: Mapping[int, str], table: Kinds, place: str) -> Cause:
    """Put one cause's findings together: channels, amounts, what they are worth, the largest of them as evidence."""
    details = [json.loads(row["detail"]) for row in rows]
    amounts = _amounts(rows, details, commodity)
    priced = {name: amount for name, amount in amounts.items() if name in table.won}
    order = sorted(
        range(len(rows)), key=lambda at: (-details[at].get("amount", 0), rows[at]["name"], rows[at]["at_us"])
    )
    evidence = [
        {
            "channel": rows[at]["name"], "rule": rows[at]["rule"], "verdict": rows[at]["verdict"],
            "from_us": rows[at]["at_us"], "until_us": rows[at]["until_us"], "detail": details[at],
        }
        for at in order[:MOST_EVIDENCE]
    ]  # fmt: skip
    content = {
        "place": place,
        "channels": sorted({row["name"] for row in rows}),
        "findings": len(rows),
        "until_us": max(row["until_us"] for row in rows),
        "amounts": dict(sorted(amounts.items())),
        "won": round(sum(amount * table.won[name] for name, amount in priced.items())),
        "unpriced": sorted(amounts.keys() - priced.keys()),
        "evidence": evidence,
        "age_days": table.age_days,
        **_words(kind, group=cause == place),
    }
    if also := sorted({row["kind"] for row in rows} - {kind.code}):
        content["also"] = also
    return Cause(kind.code, cause, min(row["since_us"] for row in rows), content)


def _amounts(rows: list[Row], details: list[dict[str, Any]], commodity: Mapping[int, str]) -> dict[str, int]:
    """Sum up what is at stake by commodity: of findings of several rules over the same time the largest counts."""
    out: dict[str, int] = {}
    counted: dict[int, list[Row]] = {}
    said = [(detail["amount"], row) for row, detail in zip(rows, details, strict=True) if "amount" in detail]
    for amount, row in sorted(said, key=lambda one: (-one[0], one[1]["rule"], one[1]["at_us"])):
        own = counted.setdefault(row["channel"], [])
        if any(_meet(row, other) and row["rule"] != other["rule"] for other in own):
            continue
        own.append(row)
        name = commodity[row["channel"]]
        out[name] = out.get(name, 0) + amount
    return out


def _meet(one: Row, other: Row) -> bool:
    return one["at_us"] < other["until_us"] and other["at_us"] < one["until_us"]


def _words(kind: Kind, *, group: bool) -> dict[str, str]:
    """Give a kind's names and what to do, for one channel or for all of a place."""
    return {
        "name_en": kind.name_en,
        "name_ko": kind.name_ko,
        "action_en": kind.group_en if group else kind.action_en,
        "action_ko": kind.group_ko if group else kind.action_ko,
    }


def close_item(engine: Engine, number: int, *, by: str, reason: str, now_us: int) -> Item:
    """Close an open item by hand; gives it as it stands then. Raises NotFound and UsageError."""
    return _by_hand(engine, number, OPEN, CLOSED, by, reason, now_us)


def reopen_item(engine: Engine, number: int, *, by: str, reason: str, now_us: int) -> Item:
    """Open a closed item again by hand; gives it as it stands then. Raises NotFound and UsageError."""
    return _by_hand(engine, number, CLOSED, OPEN, by, reason, now_us)


def _by_hand(engine: Engine, number: int, before: str, after: str, by: str, reason: str, now_us: int) -> Item:
    for name, text in (("by", by), ("reason", reason)):
        if not text.strip():
            raise UsageError(f"no {name} is given.", code=f"no_{name}", remedy="Say who decides, and why.")
    with engine.exclusive():
        with engine.snapshot() as snapshot:
            found = items(snapshot, number=number)
        if not found:
            raise NotFound(
                f"there is no exception {number}.", code="no_such_exception", remedy="See `quintet exceptions list`."
            )
        item = found[0]
        if item.state != before:
            raise UsageError(
                f"exception {number} is {item.state}.", code="wrong_state", remedy=f"Only what is {before} can be that."
            )
        step = Step(after, reason.strip(), by.strip(), item.since_us, item.recurrences, item.content)
        with engine.writing("exceptions", after, by.strip(), now_us) as writing:
            append_steps(writing, [(number, step)])
            said = {"id": number, "state": after, "reason": step.reason, "cause": item.cause, "kind": item.kind}
            audit(writing, action=f"exception_{after}", subject=f"exception:{number}", detail=said)
        return replace(item, state=after, reason=step.reason, actor=step.actor, batch=writing.batch.id)
