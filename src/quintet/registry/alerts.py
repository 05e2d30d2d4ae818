"""Standing alerts: raised, changed, called no problem, ended; each step dated and appended, so that all can be shown.

An alert that a resident called no problem stays so until its figure has grown materially, even when it ended meanwhile
and came back (terms/data/alert_kinds.toml). What cannot be judged ends nothing.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from quintet.store.alerts import (
    BudgetRow,
    LookRow,
    StepRow,
    append_budget,
    append_steps,
    budgets_of,
    looks_of,
    steps_of,
)
from quintet.store.engine import Batch, Engine
from quintet.terms.alert import DISMISSED, ENDED, MOVED, OVER, STANDING, Alert, Told
from quintet.terms.alert_words import named
from quintet.terms.errors import BadInput, NotFound
from quintet.terms.length import DAY_US

RAISED, CHANGED, NO_PROBLEM, UNDONE, CLOSED, TOLD = "raised", "changed", "dismissed", "undone", "ended", "told"
KIND, SOURCE = "alerts", "alerts"
Key = tuple[str, str]
"""A kind and a utility: of these a dwelling has one alert at most that has not ended."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at a dwelling came to.

    `found` are alerts to be, not yet numbered (id empty); `fine` what was judged and is not so; `unsaid` rows of kind,
    commodity, reason and figures for what cannot be judged. It rests on nothing before `begins_us` (0: all that is
    known), and on `days` at most.
    """

    place: str
    at_us: int
    tenancy_us: int
    found: Sequence[Alert]
    fine: Sequence[Key]
    unsaid: Sequence[tuple[str, str, str, Mapping[str, Any]]]
    begins_us: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """What a look changed: alerts raised, and alerts that ended."""

    raised: tuple[Alert, ...]
    ended: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class Stepped:
    """A durable batch of steps, and the alerts that it changed, as they stand after it; telling is none."""

    batch: Batch
    alerts: tuple[Alert, ...]


def folded(steps: Iterable[StepRow]) -> dict[str, Alert]:
    """Give alerts as they stand after some steps, by id, in the order in which they were raised."""
    out: dict[str, Alert] = {}
    for one in steps:
        if one.step == RAISED:
            out[one.alert] = Alert(one.alert, one.place, raised_us=one.at_us, changed_us=one.at_us, **one.body)
        elif one.alert in out:
            out[one.alert] = _after(out[one.alert], one)
    return out


def _after(alert: Alert, step: StepRow) -> Alert:
    """Give an alert after one more step."""
    match step.step:
        case "changed":
            return replace(alert, changed_us=step.at_us, **step.body)
        case "dismissed":
            held: float | None = step.body.get("excused", alert.figure)
            return replace(alert, state=DISMISSED, dismissed_us=step.at_us, dismissed_by=step.by, excused=held)
        case "undone":
            return replace(alert, state=STANDING, dismissed_us=None, dismissed_by="", excused=None)
        case "ended":
            return replace(alert, state=ENDED, ended_us=step.at_us, end_reason=step.body["reason"])
        case "told":
            return replace(alert, told=(*alert.told, Told(step.at_us, step.body["by"], step.body["outcome"])))
        case _:
            return alert


class StandingAlerts:
    """The alerts of one city, kept in memory as they stand. Every method may be called from any thread."""

    def __init__(self, engine: Engine) -> None:
        """Read the store at the first question."""
        self._engine = engine
        self._lock = threading.RLock()
        self._known: dict[str, dict[str, Alert]] | None = None
        self._looks: dict[str, str] = {}
        self._budgets: dict[str, BudgetRow] = {}
        self.listeners: list[Callable[[Stepped], None]] = []
        """Told of each batch of steps, in order, with the write lock held."""

    def of(self, place: str) -> list[Alert]:
        """List the alerts of a dwelling, ended ones too, the latest first."""
        with self._lock:
            return list(reversed(self._all().get(place, {}).values()))

    def open(self) -> list[Alert]:
        """List all alerts that have not ended, of every dwelling."""
        with self._lock:
            return [one for own in self._all().values() for one in own.values() if one.state != ENDED]

    def alert(self, number: str) -> Alert:
        """Find an alert; raises NotFound."""
        with self._lock:
            found = next((own[number] for own in self._all().values() if number in own), None)
        if found is None:
            raise NotFound("there is no such alert.", code="not_here", place=number, remedy="List the alerts again.")
        return found

    def take(self, seen: Sequence[Seen]) -> News:
        """Take in looks at dwellings: raise, change and end alerts as they say, in one batch; none where none changes.

        The same look twice changes nothing.
        """
        steps: list[StepRow] = []
        looks: list[LookRow] = []
        with self._engine.exclusive(), self._lock:
            for one in seen:
                steps += self._steps(one)
                rows = [[*row[:3], dict(row[3])] for row in one.unsaid]
                look = LookRow(one.place, one.at_us, rows, one.begins_us, one.days)
                if self._looks.get(one.place) != _alike(look):
                    self._looks[one.place] = _alike(look)
                    looks.append(look)
            if not steps and not looks:
                return News((), ())
            after = self._written(steps, looks)
        raised = tuple(after[one.alert] for one in steps if one.step == RAISED and after[one.alert].state == STANDING)
        return News(raised, tuple(after[one.alert] for one in steps if one.step == CLOSED))

    def _steps(self, seen: Seen) -> list[StepRow]:
        """Give the steps that a look makes."""
        own = self._all().get(seen.place, {})
        standing = {(one.kind, one.commodity): one for one in own.values() if one.state != ENDED}
        out: list[StepRow] = []
        for key, alert in list(standing.items()):
            if alert.tenancy_us != seen.tenancy_us or alert.from_us < seen.begins_us:
                out.append(_ended(alert, seen.at_us, MOVED))
                del standing[key]
        out += [_ended(standing[key], seen.at_us, OVER) for key in seen.fine if key in standing]
        for found in seen.found:
            held = standing.get((found.kind, found.commodity))
            if held is None:
                out += _raised(found, seen, _excused(found, own.values(), seen))
            elif held.state == DISMISSED and material(held, found):
                out += [_ended(held, seen.at_us, OVER), *_raised(found, seen, None)]
            elif held.state == STANDING and _worth_a_step(held, found, seen.at_us):
                out.append(StepRow(held.id, held.place, CHANGED, seen.at_us, "", _body(found, held)))
        return out

    def dismiss(self, number: str, *, by: str) -> Alert:
        """Call an alert no problem; raises NotFound, and BadInput for one that has ended."""
        return self._step(number, NO_PROBLEM, by, {})

    def undo(self, number: str, *, by: str) -> Alert:
        """Take back that an alert is no problem; raises as `dismiss` does."""
        return self._step(number, UNDONE, by, {})

    def told(self, number: str, *, by: str, outcome: str) -> Alert:
        """Note that an alert was told: by which channel, and what came of it."""
        return self._step(number, TOLD, "", {"by": by, "outcome": outcome}, ended=True)

    def _step(self, number: str, step: str, by: str, body: dict[str, Any], *, ended: bool = False) -> Alert:
        with self._engine.exclusive(), self._lock:
            alert = self.alert(number)
            if alert.state == ENDED and not ended:
                raise BadInput("has ended.", code="alert_ended", place=number, remedy="Nothing needs to be said of it.")
            if (step == NO_PROBLEM) == (alert.state == DISMISSED) and step in (NO_PROBLEM, UNDONE):
                return alert
            row = StepRow(number, alert.place, step, self._engine.clock_us(), by, body)
            return self._written([row], [])[number]

    def _written(self, steps: list[StepRow], looks: list[LookRow]) -> dict[str, Alert]:
        """Make steps durable, then known; give the alerts that they concern."""
        with self._engine.writing(KIND, SOURCE, "alerts", self._engine.clock_us()) as writing:
            append_steps(writing, steps, looks)
        known = self._all()
        after: dict[str, Alert] = {}
        for one in steps:
            own = known.setdefault(one.place, {})
            made = folded([one]) if one.step == RAISED else {one.alert: _after(own[one.alert], one)}
            own.update(made)
            after.update(made)
        changed = {one.alert for one in steps if one.step != TOLD}
        if changed:
            stepped = Stepped(writing.batch, tuple(after[number] for number in sorted(changed)))
            for listener in list(self.listeners):
                listener(stepped)
        return after

    def budget(self, place: str, tenancy_us: int) -> BudgetRow | None:
        """Give the budget of the present household of a dwelling."""
        with self._lock:
            self._all()
            found = self._budgets.get(place)
        return found if found is not None and found.won is not None and found.tenancy_us == tenancy_us else None

    def budgets(self) -> dict[str, int]:
        """Give all budgets that are set, by dwelling."""
        with self._lock:
            self._all()
            return {place: one.won for place, one in self._budgets.items() if one.won is not None}

    def set_budget(self, place: str, won: int | None, *, tenancy_us: int, by: str) -> None:
        """Set or take away the budget of a dwelling's household."""
        now_us = self._engine.clock_us()
        row = BudgetRow(place, now_us, by, tenancy_us, won)
        with self._engine.exclusive(), self._lock:
            self._all()
            with self._engine.writing(KIND, SOURCE, by, now_us) as writing:
                append_budget(writing, row)
            self._budgets[place] = row

    def _all(self) -> dict[str, dict[str, Alert]]:
        """Give all alerts by place and id."""
        if self._known is None:
            with self._engine.snapshot() as snapshot:
                steps, looks, budgets = steps_of(snapshot), looks_of(snapshot), budgets_of(snapshot)
            self._known = {}
            for number, alert in folded(steps).items():
                self._known.setdefault(alert.place, {})[number] = alert
            self._looks = {one.place: _alike(one) for one in looks}
            self._budgets = {one.place: one for one in budgets}
        return self._known


def _alike(look: LookRow) -> str:
    """Say in what a look must differ from the one before to be kept: whose time it was, the reasons, and their words.

    Figures that no sentence names (hours of silence) would make a row of each look.
    """
    rows = [(*row[:3], {name: row[3][name] for name in sorted(named(row[2]) & row[3].keys())}) for row in look.body]
    return repr((look.begins_us, rows))


def material(held: Alert, found: Alert) -> bool:
    """Tell whether what was found is materially more than what stands, or than what was called no problem."""
    before, now = held.figure if held.excused is None else held.excused, found.figure
    return before is None or now is None or (now >= held.row.times * before and now > before)


def _excused(found: Alert, own: Iterable[Alert], seen: Seen) -> Alert | None:
    """Give what a resident said of the same thing before, where that still holds.

    What was said before the time that is looked at was said by who lived there then, also where no move is recorded.
    """
    since_us = max(seen.begins_us, seen.at_us - found.row.hold_days * DAY_US)
    same = [
        one
        for one in own
        if (one.kind, one.commodity, one.tenancy_us) == (found.kind, found.commodity, found.tenancy_us)
        and one.dismissed_us is not None
        and one.dismissed_us >= since_us
        and not material(one, found)
    ]
    return same[-1] if same else None


def _worth_a_step(held: Alert, found: Alert, at_us: int) -> bool:
    """Tell whether a standing alert's new figures are written down: the first of another day, and what is material."""
    if held.figures == found.figures and held.won == found.won:
        return False
    return material(held, found) or at_us // DAY_US != held.changed_us // DAY_US


def _raised(found: Alert, seen: Seen, excused: Alert | None) -> list[StepRow]:
    said = f"{seen.place}|{found.kind}|{found.commodity}|{seen.at_us}"
    number = hashlib.sha256(said.encode()).hexdigest()[:16]
    steps = [StepRow(number, seen.place, RAISED, seen.at_us, "", _body(found, None))]
    if excused is not None:
        said_before = {"excused": excused.excused}
        steps.append(
            StepRow(
                number, seen.place, NO_PROBLEM, excused.dismissed_us or seen.at_us, excused.dismissed_by, said_before
            )
        )
    return steps


def _body(found: Alert, held: Alert | None) -> dict[str, Any]:
    """Give what a step keeps of what was found; a change keeps since when it is so."""
    names = ["figures", "won", "won_per", "won_reason", "confidence"]
    names += ["kind", "commodity", "since_us", "from_us", "tenancy_us"] if held is None else []
    return {name: dict(found.figures) if name == "figures" else getattr(found, name) for name in names}


def _ended(alert: Alert, at_us: int, reason: str) -> StepRow:
    return StepRow(alert.id, alert.place, CLOSED, at_us, "", {"reason": reason})
