"""What can be asked of a city: one struct of parameters per operation, the same on the command line and the socket.

Times are text as the person gave them: only the owner knows the city's clock. Paths are absolute: the owner may run in
another folder.
"""

import msgspec

from .request import Request
from .requests_alerts import AlertsDismiss, AlertsRequest, AlertsRun
from .requests_bills import BillAgree, BillIssue, BillRequest
from .requests_ledger import (
    Balance,
    Conversions,
    DefinitionPin,
    Emissions,
    EmissionsCompare,
    EmissionsGpc,
    EmissionsPublish,
    EmissionsPublished,
    Facilities,
    FactorSetMake,
    FactorSets,
    FactorWithdraw,
    Intervals,
    Losses,
    OpenData,
    OpenRelease,
    OpenReleases,
    ReportFigures,
    SelfSufficiency,
    SelfSufficiencyExplain,
    Uncertainty,
    UncertaintyTrials,
)
from .requests_manager import BuildingRequest, BuildingSigned, BuildingVisited
from .requests_people import PeopleRequest
from .requests_vee import (
    AuditList,
    AuditVerify,
    Backtest,
    Diff,
    EditList,
    EditMake,
    EditUndo,
    EstimationOrder,
    EventAdd,
    EventList,
    EventWithdraw,
    ExceptionsClose,
    ExceptionsList,
    ExceptionsReopen,
    ExceptionsShow,
    QuarantineCount,
    QuarantineDismiss,
    QuarantineDrift,
    QuarantineExplain,
    QuarantineList,
    QuarantineReplay,
    VeeFindings,
    VeeReport,
    VeeRun,
)


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
    """From a moment on a meter counts at another place, on another usage point, or as something else."""

    channel: str
    valid_from: str
    place: str | None = None
    usage_point: str | None = None
    actor: str = ""
    role: str | None = None


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


class TargetsYear(Request, frozen=True, tag="targets_year"):
    """A year's targets of a place (None: this year) and the way to them."""

    place: str
    year: int | None = None
    known_at: str | None = None


class TargetSet(Request, frozen=True, tag="target_set"):
    """A target is stated."""

    place: str
    year: int
    metric: str
    of: str
    value: str
    by: str
    why: str


class TargetWithdraw(Request, frozen=True, tag="target_withdraw"):
    """A target is withdrawn."""

    place: str
    year: int
    metric: str
    of: str
    by: str
    why: str


class MeasureState(Request, frozen=True, tag="measure_state"):
    """A measure is stated: what it saves in a year, from a day on."""

    name: str
    place: str
    commodity: str
    since: str
    saves: str
    what: str
    by: str
    why: str


class TargetsWeather(Request, frozen=True, tag="targets_weather"):
    """Use in two periods, with the weather of the first."""

    start: str
    end: str
    base_from: str
    base_to: str
    place: str
    known_at: str | None = None


class TargetsChange(Request, frozen=True, tag="targets_change"):
    """A change between two periods, taken apart."""

    start: str
    end: str
    base_from: str
    base_to: str
    metric: str
    of: str
    activity: str
    then: str | None
    place: str
    lang: str = "en"
    known_at: str | None = None


class GreenButton(Request, frozen=True, tag="green_button"):
    """Write a dwelling's readings as a Green Button feed to a file; `reason` stands in its read log."""

    place: str
    start: str
    end: str
    out: str
    reason: str


class BackupCreate(Request, frozen=True, tag="backup_create"):
    """Copy a consistent moment of the city to a new folder."""

    target: str


class CloseDays(Request, frozen=True, tag="close_days"):
    """Move whole days from the hot tables to the lake; `until` is the first day that stays (None: all that can)."""

    until: str | None = None


class TokenCreate(Request, frozen=True, tag="token_create"):
    """Make a token for a source of readings, or a program that asks of a place in a role; `may` names its rights."""

    source: str
    may: list[str]
    actor: str = ""
    until: str | None = None
    place: str = ""
    role: str = ""


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


AnyRequest = (
    Summary
    | Uncertainty
    | UncertaintyTrials
    | ReportFigures
    | OpenData
    | OpenRelease
    | OpenReleases
    | GreenButton
    | AlertsRequest
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
    | Losses
    | Conversions
    | Facilities
    | SelfSufficiency
    | Emissions
    | SelfSufficiencyExplain
    | DefinitionPin
    | EmissionsGpc
    | EmissionsPublish
    | EmissionsPublished
    | EmissionsCompare
    | FactorSetMake
    | FactorWithdraw
    | FactorSets
    | TargetsYear
    | TargetSet
    | TargetWithdraw
    | MeasureState
    | TargetsWeather
    | TargetsChange
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
    | VeeFindings
    | ExceptionsList
    | ExceptionsShow
    | ExceptionsClose
    | ExceptionsReopen
    | PeopleRequest
    | BillRequest
    | BuildingRequest
)

WRITES: tuple[type[Request], ...] = (
    Ingest, RegistrySync, RegistryExchange, RegistryRewire, MoveIn, MoveOut, BackupCreate, CloseDays,
    QuarantineReplay, QuarantineDismiss, EditMake, EditUndo, EventAdd, EventWithdraw,
    VeeRun, ExceptionsClose, ExceptionsReopen, DefinitionPin, EmissionsPublish, FactorSetMake, FactorWithdraw,
    TargetSet, TargetWithdraw, MeasureState, OpenData, OpenRelease, BillIssue, BillAgree,
    BuildingVisited, BuildingSigned,
    AlertsRun, AlertsDismiss,
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
