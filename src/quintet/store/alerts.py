"""Steps in the life of alerts, what could not be judged, and budgets: appended and never changed.

The tables are made with the first row: a store without any has none, and earlier versions pass them by.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from .audit import canonical
from .engine import Snapshot, Writing

WHOSE = "whose"
MADE = (
    """create table if not exists alert_step (
        batch integer not null, alert varchar not null, place varchar not null, step varchar not null,
        at_us bigint not null, by_whom varchar not null, body varchar not null)""",
    """create table if not exists alert_look (
        batch integer not null, place varchar not null, at_us bigint not null, body varchar not null)""",
    """create table if not exists alert_budget (
        batch integer not null, place varchar not null, at_us bigint not null, by_whom varchar not null,
        tenancy_us bigint not null, won bigint)""",
)


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of an alert: raised, changed, dismissed, undone, ended or told; `by` is who did it, empty for nobody."""

    alert: str
    place: str
    step: str
    at_us: int
    by: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LookRow:
    """What of a dwelling could not be judged from a moment on, as plain rows: the newest look holds.

    It rests on nothing before `begins_us`, nor on more than `days` before it; None of looks that did not keep it.
    """

    place: str
    at_us: int
    body: list[Any]
    begins_us: int | None = None
    days: int = 0

    @property
    def kept(self) -> list[Any]:
        """The rows as they are stored: whose time it was is one more, of no kind, which earlier versions pass by."""
        if self.begins_us is None:
            return self.body
        return [*self.body, ["", "", WHOSE, {"begins_us": self.begins_us, "days": self.days}]]

    @classmethod
    def opened(cls, place: str, at_us: int, kept: list[Any]) -> "LookRow":
        """Give a look from its stored rows."""
        whose = next((row[3] for row in kept if row[2] == WHOSE), {})
        return cls(place, at_us, [row for row in kept if row[2] != WHOSE], whose.get("begins_us"), whose.get("days", 0))


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """The won a month that the household of a dwelling set itself; None: it has none any more."""

    place: str
    at_us: int
    by: str
    tenancy_us: int
    won: int | None


def any_alerts(snapshot: Snapshot) -> bool:
    """Tell whether the tables are there."""
    return bool(snapshot.rows("select 1 from duckdb_tables() where table_name = 'alert_step'"))


def append_steps(writing: Writing, steps: Sequence[StepRow], looks: Sequence[LookRow] = ()) -> None:
    """Append steps and looks as part of a batch."""
    for statement in MADE:
        writing.execute(statement)
    batch = writing.batch.id
    writing.append(
        "alert_step",
        pa.table({
            "batch": pa.array([batch] * len(steps), pa.int32()),
            "alert": pa.array([one.alert for one in steps], pa.string()),
            "place": pa.array([one.place for one in steps], pa.string()),
            "step": pa.array([one.step for one in steps], pa.string()),
            "at_us": pa.array([one.at_us for one in steps], pa.int64()),
            "by_whom": pa.array([one.by for one in steps], pa.string()),
            "body": pa.array([canonical(one.body) for one in steps], pa.string()),
        }),
    )  # fmt: skip
    writing.append(
        "alert_look",
        pa.table({
            "batch": pa.array([batch] * len(looks), pa.int32()),
            "place": pa.array([one.place for one in looks], pa.string()),
            "at_us": pa.array([one.at_us for one in looks], pa.int64()),
            "body": pa.array([canonical(one.kept) for one in looks], pa.string()),
        }),
    )  # fmt: skip


def append_budget(writing: Writing, budget: BudgetRow) -> None:
    """Append a budget as part of a batch."""
    for statement in MADE:
        writing.execute(statement)
    writing.execute(
        "insert into alert_budget values (?, ?, ?, ?, ?, ?)",
        [writing.batch.id, budget.place, budget.at_us, budget.by, budget.tenancy_us, budget.won],
    )


def steps_of(snapshot: Snapshot, place: str | None = None) -> list[StepRow]:
    """Read the steps of a place's alerts (None: of all), in the order in which they were made."""
    if not any_alerts(snapshot):
        return []
    sql = f"""select alert, place, step, at_us, by_whom, body from alert_step
        {"where place = ?" if place is not None else ""} order by batch, rowid"""
    found = snapshot.rows(sql, [] if place is None else [place])
    return [StepRow(row[0], row[1], row[2], row[3], row[4], json.loads(row[5])) for row in found]


def stepped_since(snapshot: Snapshot, place: str, batch: int, *, but: str) -> list[str]:
    """Name the alerts of a place of which a later batch than `batch` holds a step, other than those called `but`."""
    if not any_alerts(snapshot):
        return []
    sql = "select distinct alert from alert_step where place = ? and batch > ? and step <> ? order by alert"
    return [str(row[0]) for row in snapshot.rows(sql, [place, batch, but])]


def looks_of(snapshot: Snapshot, place: str | None = None) -> list[LookRow]:
    """Read the newest look at a place (None: at each)."""
    if not any_alerts(snapshot):
        return []
    sql = f"""select place, arg_max(at_us, batch), arg_max(body, batch) from alert_look
        {"where place = ?" if place is not None else ""} group by place order by place"""
    return [
        LookRow.opened(row[0], row[1], json.loads(row[2]))
        for row in snapshot.rows(sql, [] if place is None else [place])
    ]


def budgets_of(snapshot: Snapshot, place: str | None = None) -> list[BudgetRow]:
    """Read the newest budget of a place (None: of each)."""
    if not any_alerts(snapshot):
        return []
    sql = f"""select place, at_us, by_whom, tenancy_us, won from (
            select *, row_number() over (partition by place order by batch desc) as number from alert_budget
            {"where place = ?" if place is not None else ""}) where number = 1 order by place"""
    return [BudgetRow(*row) for row in snapshot.rows(sql, [] if place is None else [place])]
