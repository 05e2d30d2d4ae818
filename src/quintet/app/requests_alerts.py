"""Requests for a city's alerts."""

from .request import Request


class AlertsList(Request, frozen=True, tag="alerts_list"):
    """The alerts of a place and all below it: standing ones, dismissed ones, or any."""

    place: str = "city"
    state: str = "standing"
    kind: str | None = None
    limit: int = 100
    language: str = "en"


class AlertsRun(Request, frozen=True, tag="alerts_run"):
    """Look at the dwellings of a place now."""

    place: str = "city"


class AlertsDismiss(Request, frozen=True, tag="alerts_dismiss"):
    """Call an alert no problem, or take that back."""

    id: str
    by: str
    undo: bool = False


class AlertsReport(Request, frozen=True, tag="alerts_report"):
    """How often alerts are false and what they miss, on simulated cities; of a city's own how often they are raised."""

    cities: int = 5
    seed: int = 1
    days: int = 60
    until: str | None = None


class AlertsTelling(Request, frozen=True, tag="alerts_telling"):
    """How telling people is set up, and what was sent and failed; `test`: a mail address that gets a message now."""

    state: str = "any"
    limit: int = 50
    test: str = ""


AlertsRequest = AlertsList | AlertsRun | AlertsDismiss | AlertsReport | AlertsTelling
