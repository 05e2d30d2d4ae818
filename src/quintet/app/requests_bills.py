"""Requests for a city's bills."""

from .request import Request


class BillShow(Request, frozen=True, tag="bill_show"):
    """A dwelling's bills of a month."""

    place: str
    month: str
    known_at: str | None = None


class BillRun(Request, frozen=True, tag="bill_run"):
    """The bills of all dwellings of a place."""

    month: str
    place: str
    known_at: str | None = None


class BillIssue(Request, frozen=True, tag="bill_issue"):
    """Freeze a month's bills of a place."""

    place: str
    month: str
    actor: str = ""


class BillExplain(Request, frozen=True, tag="bill_explain"):
    """An issued bill, its evidence, and what corrections made of it."""

    place: str
    month: str
    commodity: str | None = None
    known_at: str | None = None


class BillAgree(Request, frozen=True, tag="bill_agree"):
    """From a day on a utility of a place is billed by a contract; `said` are the row's further words, as text."""

    place: str
    commodity: str
    said: dict[str, str]
    since: str | None
    source: str
    actor: str = ""


class BillTerms(Request, frozen=True, tag="bill_terms"):
    """By which contracts a place is billed on a day (None: today)."""

    place: str
    on: str | None = None
    known_at: str | None = None


class BillAllocate(Request, frozen=True, tag="bill_allocate"):
    """A complex' bill shared over its flats."""

    place: str
    month: str
    commodity: str
    common_won: int | None = None
    known_at: str | None = None


class BillFollow(Request, frozen=True, tag="bill_follow"):
    """What using less pays a dwelling."""

    place: str
    month: str
    known_at: str | None = None


BillRequest = BillShow | BillRun | BillIssue | BillExplain | BillAgree | BillTerms | BillAllocate | BillFollow
