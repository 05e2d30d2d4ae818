"""What can be asked of a city: one struct of parameters per operation, the same on the command line and the socket.

Times are text as the person gave them: only the owner knows the city's clock. Paths are absolute: the owner may run in
another folder.
"""

import msgspec


class Request(msgspec.Struct, frozen=True, tag=True):
    """An operation's parameters; the class name names the operation on the wire."""


class Summary(Request, frozen=True, tag="summary"):
    """What this city holds."""


class Doctor(Request, frozen=True, tag="doctor"):
    """What is wrong and how to mend it."""


class Ingest(Request, frozen=True, tag="ingest"):
    """Take in dataset folders or readings files."""

    paths: list[str]
    map_file: str | None = None
    actor: str = ""


class RegistrySync(Request, frozen=True, tag="registry_sync"):
    """Bring the registry in step with the customer system's list."""

    file: str
    dry_run: bool = False
    as_of: str | None = None
    actor: str = ""


class RegistryList(Request, frozen=True, tag="registry_list"):
    """The places tree."""

    known_at: str | None = None


class RegistryExchange(Request, frozen=True, tag="registry_exchange"):
    """One meter was replaced by another; `new` is what of its row in the meters table is stated."""

    old: str
    new: dict[str, str]
    at: str
    old_final: str | None = None
    new_first: str | None = None
    actor: str = ""


class RegistryRewire(Request, frozen=True, tag="registry_rewire"):
    """From a moment on a meter counts at another place, or on another usage point."""

    channel: str
    valid_from: str
    place: str | None = None
    usage_point: str | None = None
    actor: str = ""


class MoveIn(Request, frozen=True, tag="move_in"):
    """Someone moved into a premise."""

    premise: str
    occupant: str
    at: str
    actor: str = ""


class MoveOut(Request, frozen=True, tag="move_out"):
    """Whoever lived in a premise moved out."""

    premise: str
    at: str
    actor: str = ""


class MetersList(Request, frozen=True, tag="meters_list"):
    """Every channel, or those of a place or commodity."""

    place: str | None = None
    commodity: str | None = None
    known_at: str | None = None


class MetersShow(Request, frozen=True, tag="meters_show"):
    """One channel with where it counts."""

    channel: str
    known_at: str | None = None


class Intervals(Request, frozen=True, tag="intervals"):
    """One channel's series."""

    channel: str
    start: str
    end: str
    resolution: str
    known_at: str | None = None


class Balance(Request, frozen=True, tag="balance"):
    """Supply against use."""

    start: str
    end: str
    resolution: str
    place: str
    known_at: str | None = None


class SelfSufficiency(Request, frozen=True, tag="selfsufficiency"):
    """How much of its energy the place makes itself, by each definition."""

    start: str
    end: str
    resolution: str
    place: str
    known_at: str | None = None


class Emissions(Request, frozen=True, tag="emissions"):
    """Greenhouse gases."""

    start: str
    end: str
    resolution: str
    place: str
    gwp: str
    known_at: str | None = None


class BackupCreate(Request, frozen=True, tag="backup_create"):
    """Copy a consistent moment of the city to a new folder."""

    target: str


class CloseDays(Request, frozen=True, tag="close_days"):
    """Move whole days from the hot tables to the lake; `until` is the first day that stays (None: all that can)."""

    until: str | None = None


class QuarantineList(Request, frozen=True, tag="quarantine_list"):
    """What could not be taken, and why; `state` is open, taken, dismissed or any, `before` an id to go on below."""

    limit: int = 100
    source: str = ""
    code: str = ""
    state: str = "open"
    before: int | None = None


class QuarantineExplain(Request, frozen=True, tag="quarantine_explain"):
    """One quarantined row in words; `original`: with the whole of what came."""

    id: int
    original: bool = False


class QuarantineCount(Request, frozen=True, tag="quarantine_count"):
    """How many rows wait, per source and reason."""


class QuarantineReplay(Request, frozen=True, tag="quarantine_replay"):
    """Try quarantined rows again: those of a source, with a code, with ids (empty: all)."""

    source: str = ""
    code: str = ""
    ids: list[int] = []
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


class TokenCreate(Request, frozen=True, tag="token_create"):
    """Make a token for a source of readings; `may` names its rights."""

    source: str
    may: list[str]
    actor: str = ""


class TokenList(Request, frozen=True, tag="token_list"):
    """All tokens, without what proves them."""


class TokenRevoke(Request, frozen=True, tag="token_revoke"):
    """End a token by its id."""

    id: str
    actor: str = ""


class LoadVerify(Request, frozen=True, tag="load_verify"):
    """Prove that what a load was told is stored is stored once."""

    file: str


class Status(Request, frozen=True, tag="status"):
    """How the owner runs: rates, lag, queue, doors, staleness."""


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


class AuditVerify(Request, frozen=True, tag="audit_verify"):
    """Prove the audit chain; `noted` is a digest of it that was noted outside."""

    noted: str | None = None


class EventAdd(Request, frozen=True, tag="event_add"):
    """A person states what happened to a place or a channel."""

    kind: str
    start: str
    by: str
    reason: str
    end: str | None = None
    place: str | None = None
    channel: str | None = None
    detail: str = ""


class EventList(Request, frozen=True, tag="event_list"):
    """The events that stand, by beginning."""

    kind: str | None = None
    start: str | None = None
    end: str | None = None
    known_at: str | None = None


class EventWithdraw(Request, frozen=True, tag="event_withdraw"):
    """A person takes an event back."""

    id: int
    by: str
    reason: str


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


class ExceptionsList(Request, frozen=True, tag="exceptions_list"):
    """The queue of exceptions, worst first."""

    state: str = "open"
    kind: str | None = None
    place: str | None = None
    limit: int = 100


class ExceptionsShow(Request, frozen=True, tag="exceptions_show"):
    """One exception with its evidence and history."""

    id: int


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


AnyRequest = (
    Summary
    | Doctor
    | Ingest
    | RegistrySync
    | RegistryList
    | RegistryExchange
    | RegistryRewire
    | MoveIn
    | MoveOut
    | MetersList
    | MetersShow
    | Intervals
    | Balance
    | SelfSufficiency
    | Emissions
    | BackupCreate
    | CloseDays
    | QuarantineList
    | QuarantineExplain
    | QuarantineCount
    | QuarantineReplay
    | QuarantineDismiss
    | QuarantineDrift
    | TokenCreate
    | TokenList
    | TokenRevoke
    | LoadVerify
    | Status
    | VeeReport
    | Backtest
    | EstimationOrder
    | EditMake
    | EditUndo
    | EditList
    | AuditList
    | AuditVerify
    | EventAdd
    | EventList
    | EventWithdraw
    | Diff
    | VeeRun
    | ExceptionsList
    | ExceptionsShow
    | ExceptionsClose
    | ExceptionsReopen
)

WRITES: tuple[type[Request], ...] = (
    Ingest, RegistrySync, RegistryExchange, RegistryRewire, MoveIn, MoveOut, BackupCreate, CloseDays,
    QuarantineReplay, QuarantineDismiss, EditMake, EditUndo, EventAdd, EventWithdraw,
    VeeRun, ExceptionsClose, ExceptionsReopen,
)  # fmt: skip
"""Operations that take turns; all others run beside them."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[AnyRequest] = msgspec.msgpack.Decoder(AnyRequest)


def pack(request: Request) -> bytes:
    """Encode for the socket."""
    return _ENCODER.encode(request)


def unpack(payload: bytes) -> AnyRequest:
    """Decode and check; raises msgspec.MsgspecError on what is no request."""
    return _DECODER.decode(payload)
