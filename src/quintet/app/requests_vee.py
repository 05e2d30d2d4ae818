"""Requests about what readings are worth: quarantine, rules, findings, edits, events, the audit and exceptions."""

import msgspec

from .request import Request


class QuarantineList(Request, frozen=True, tag="quarantine_list"):
    """What could not be taken, and why; `state` is open, taken, dismissed or any, `before` an id to go on below."""

    limit: int = 100
    source: str = ""
    code: str = ""
    state: str = "open"
    before: int | None = None
    known_at: str | None = None


class QuarantineExplain(Request, frozen=True, tag="quarantine_explain"):
    """One quarantined row in words; `original`: with the whole of what came."""

    id: int
    original: bool = False
    known_at: str | None = None


class QuarantineCount(Request, frozen=True, tag="quarantine_count"):
    """How many rows wait, per source and reason."""

    known_at: str | None = None


class QuarantineReplay(Request, frozen=True, tag="quarantine_replay"):
    """Try quarantined rows again: those of a source, with a code, with ids (empty: all)."""

    source: str = ""
    code: str = ""
    ids: list[int] = msgspec.field(default_factory=list[int])
    actor: str = ""


class QuarantineDismiss(Request, frozen=True, tag="quarantine_dismiss"):
    """Nobody needs some quarantined rows."""

    ids: list[int]
    reason: str
    actor: str = ""


class QuarantineDrift(Request, frozen=True, tag="quarantine_drift"):
    """Fields that are new, renamed, retyped or gone."""

    limit: int = 100
    source: str = ""
    known_at: str | None = None


class EditMake(Request, frozen=True, tag="edit_make"):
    """A person accepts, rejects, replaces or has estimated what a range of channels holds.

    `channel` is a name or a pattern; `values` are pairs of start and value; `via` is the token's source, if one was.
    """

    action: str
    start: str
    end: str
    by: str
    reason: str
    channel: str | None = None
    place: str | None = None
    quality: str | None = None
    rule: str | None = None
    value: str | None = None
    values: list[tuple[str, str]] | None = None
    keep_total: bool = False
    dry_run: bool = False
    via: str = ""


class EditUndo(Request, frozen=True, tag="edit_undo"):
    """A person takes an edit back."""

    id: int
    by: str
    reason: str
    dry_run: bool = False
    via: str = ""


class EditList(Request, frozen=True, tag="edit_list"):
    """The edits, newest first; the next page is `before` the last id of this one."""

    limit: int = 100
    before: int | None = None
    channel: str | None = None
    known_at: str | None = None


class AuditList(Request, frozen=True, tag="audit_list"):
    """The audit records, newest first."""

    limit: int = 100
    before: int | None = None
    known_at: str | None = None


class AuditVerify(Request, frozen=True, tag="audit_verify"):
    """Prove the audit chain; `noted` is a digest of it that was noted outside."""

    noted: str | None = None


class EventAdd(Request, frozen=True, tag="event_add"):
    """A person states what happened to a place or a channel; `via` is the token's source, if one was."""

    kind: str
    start: str
    by: str
    reason: str
    end: str | None = None
    place: str | None = None
    channel: str | None = None
    detail: str = ""
    via: str = ""


class EventList(Request, frozen=True, tag="event_list"):
    """The events that stand, by beginning; of a place: those that touch it, stated of it, above or below."""

    kind: str | None = None
    start: str | None = None
    end: str | None = None
    known_at: str | None = None
    place: str | None = None


class EventWithdraw(Request, frozen=True, tag="event_withdraw"):
    """A person takes an event back; `via` is the token's source, if one was."""

    id: int
    by: str
    reason: str
    via: str = ""


class Diff(Request, frozen=True, tag="diff"):
    """Why a total changed between two moments."""

    known_at: str
    later: str
    start: str
    end: str
    place: str | None = None
    channel: str | None = None
    lang: str = "en"
    most: int = 10


class VeeReport(Request, frozen=True, tag="vee_report"):
    """What is found of faults put into the city's own sound readings; nothing in the city changes."""

    each: int = 6
    times: int = 20
    seed: int = 1
    stretches: int = 0


class VeeRun(Request, frozen=True, tag="vee_run"):
    """Judge the weeks in which anything changed, or those of some days that need it."""

    start: str | None = None
    end: str | None = None
    actor: str = ""


class VeeFindings(Request, frozen=True, tag="vee_findings"):
    """What rules and runs found of a channel, or of a place."""

    start: str
    end: str
    channel: str | None = None
    place: str | None = None
    rule: str | None = None
    known_at: str | None = None
    limit: int = 100
    cursor: str | None = None


class ExceptionsList(Request, frozen=True, tag="exceptions_list"):
    """The queue of exceptions, worst first."""

    state: str = "open"
    kind: str | None = None
    place: str | None = None
    limit: int = 100
    known_at: str | None = None


class ExceptionsShow(Request, frozen=True, tag="exceptions_show"):
    """One exception with its evidence and history."""

    id: int
    known_at: str | None = None


class ExceptionsClose(Request, frozen=True, tag="exceptions_close"):
    """A person closes an exception."""

    id: int
    by: str
    reason: str


class ExceptionsReopen(Request, frozen=True, tag="exceptions_reopen"):
    """A person opens a closed exception again."""

    id: int
    by: str
    reason: str


class Backtest(Request, frozen=True, tag="backtest"):
    """Which order of estimators errs least on hidden stretches; with `decide` it is in force from now on."""

    seed: int = 1
    stretches: int = 400
    decide: bool = False
    by: str = ""
    reason: str = ""


class EstimationOrder(Request, frozen=True, tag="estimation_order"):
    """The order of estimators in force."""

    known_at: str | None = None
