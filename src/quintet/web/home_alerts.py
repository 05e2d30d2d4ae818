"""The addresses of alerts: what a household is told of by itself, what it calls no problem, and its budget."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from quintet.terms.alert import Alert
from quintet.terms.errors import BadInput, Forbidden, NotFound
from quintet.terms.period import from_us
from quintet.views.answers_alerts import BudgetAsked, HomeAlert, HomeAlertList, HomeBudget
from quintet.views.home_alerts import HomeAlertQuestions
from quintet.views.identity import Reader

from .page import chosen_language
from .parameters import DWELLING, Parameter, one_of, within
from .rows import ID, Call, Row, TablePart

LANGUAGE = Parameter(
    "language", "In which language it is said; default: the reader's own.", {"type": "string", "enum": ["en", "ko"]}
)
ENDED_DAYS = Parameter(
    "ended_days", "Also those that ended in so many days.",
    {"type": "integer", "minimum": 0, "maximum": 3650, "default": 30},
)  # fmt: skip


class AlertDesk(Protocol):
    """What a served city does with alerts."""

    def now_us(self) -> int:
        """Give the present moment in microseconds since 1970."""
        ...

    def looked_us(self, place: str) -> int | None:
        """Give when a dwelling was looked at last since this process began; None: not yet."""
        ...

    def alert(self, number: str) -> Alert:
        """Find an alert by its id; raises NotFound."""
        ...

    def dismiss(self, number: str, by: str) -> Alert:
        """Call an alert no problem; raises BadInput for one that has ended."""
        ...

    def undo(self, number: str, by: str) -> Alert:
        """Take that back; raises as `dismiss` does."""
        ...

    def budget_bounds(self) -> tuple[int, int]:
        """Give the least and the most that a budget may be, in won."""
        ...

    def set_budget(self, place: str, won: int | None, tenancy_us: int, by: str) -> None:
        """Set or take away a household's budget."""
        ...


def alerts(desk: AlertDesk, call: Call) -> HomeAlertList:
    """List a home's alerts."""
    place, days, now_us = str(call.given["place"]), call.given["ended_days"], desk.now_us()
    return call.reader.ask(HomeAlertQuestions).alerts(
        place, _language(call), now_us, desk.looked_us(place),
        ended_days=30 if days is None else within(days, ENDED_DAYS),
        may_dismiss=lives_there(call.reader, place, now_us),
    )  # fmt: skip


def no_problem(desk: AlertDesk, call: Call) -> HomeAlert:
    """Call an alert no problem."""
    return _stepped(desk, call, desk.dismiss)


def a_problem(desk: AlertDesk, call: Call) -> HomeAlert:
    """Take back that an alert is no problem."""
    return _stepped(desk, call, desk.undo)


def _stepped(desk: AlertDesk, call: Call, step: Callable[[str, str], Alert]) -> HomeAlert:
    questions, place = call.reader.ask(HomeAlertQuestions), desk.alert(call.id).place
    questions.find(place, call.id)
    refuse_others(call.reader, place, desk.now_us())
    return questions.one(step(call.id, call.reader.id), _language(call), may_dismiss=True)


def budget(desk: AlertDesk, call: Call) -> HomeBudget:
    """Give a home's budget."""
    questions = call.reader.ask(HomeAlertQuestions)
    return questions.budget(str(call.given["place"]), call.reader.id, desk.budget_bounds())


def set_budget(desk: AlertDesk, call: Call) -> HomeBudget:
    """Set or take away a home's budget."""
    reader, bounds = call.reader, desk.budget_bounds()
    place, won = call.said.place, call.said.won
    questions = reader.ask(HomeAlertQuestions)
    tenancy_us = questions.tenancy_us(place)
    refuse_others(reader, place, desk.now_us())
    if won is not None and not bounds[0] <= won <= bounds[1]:
        raise BadInput(
            f"{won:,} won is no budget of a month.",
            code="bad_budget",
            place="won",
            remedy=f"Say {bounds[0]:,} to {bounds[1]:,} won, or null for none.",
            said={"least": bounds[0], "most": bounds[1]},
        )
    desk.set_budget(place, won, tenancy_us, reader.id)
    return questions.budget(place, reader.id, bounds)


def lives_there(reader: Reader, place: str, now_us: int) -> bool:
    """Tell whether a reader speaks for a home: who lives there now himself, or whoever is at the machine."""
    if reader.kind == "local":
        return True
    now = from_us(now_us)
    return reader.kind == "person" and any(
        home.place == place and (home.since is None or home.since <= now) and (home.until is None or now < home.until)
        for home in reader.homes
    )


def refuse_others(reader: Reader, place: str, now_us: int) -> None:
    """Raise Forbidden for who does not live there: what is no problem is for the household to say."""
    if not lives_there(reader, place, now_us):
        raise Forbidden(
            "is for those who live there to say.",
            code="not_your_home",
            place=place,
            remedy="Sign in as a resident of this home.",
        )


def _language(call: Call) -> str:
    asked = call.given["language"]
    if asked is not None:
        return one_of(str(asked), LANGUAGE)
    return chosen_language(call.reader.language or None, call.request.headers.get("accept-language", ""))


def _veiled(work: Callable[[AlertDesk, Call], msgspec.Struct]) -> Callable[[AlertDesk, Call], msgspec.Struct]:
    """To the discreet what there is not and what is not his are the same."""

    def veiled(desk: AlertDesk, call: Call) -> msgspec.Struct:
        try:
            return work(desk, call)
        except NotFound as error:
            raise call.reader.veiled(error) from error

    return veiled


STATUSES = (400, 401, 403, 404, 422)
ROWS: tuple[Row[AlertDesk], ...] = (
    Row("GET", "/home/alerts", "get_home_alerts", "What a home is told of by itself, and what is looked for.", None,
        HomeAlertList, _veiled(alerts), asked=(DWELLING, LANGUAGE, ENDED_DAYS), statuses=STATUSES),
    Row("POST", "/home/alerts/{id}:not-a-problem", "post_home_alerts_id_not_a_problem",
        "Call an alert no problem: it stays so until it grows materially.", None, HomeAlert, _veiled(no_problem),
        asked=(ID, LANGUAGE), statuses=STATUSES),
    Row("POST", "/home/alerts/{id}:problem", "post_home_alerts_id_problem", "Take back that an alert is no problem.",
        None, HomeAlert, _veiled(a_problem), asked=(ID, LANGUAGE), statuses=STATUSES),
    Row("GET", "/home/budget", "get_home_budget", "What a home wants to spend a month.", None, HomeBudget,
        _veiled(budget), asked=(DWELLING,), statuses=STATUSES),
    Row("PUT", "/home/budget", "put_home_budget", "Set what a home wants to spend a month, or take it away.",
        BudgetAsked, HomeBudget, _veiled(set_budget), statuses=(400, 401, 403, 404)),
)  # fmt: skip
"""Every address of alerts."""


class AlertsPart(TablePart[AlertDesk]):
    """What the site mounts for alerts; what looks is the owner's."""

    def __init__(self, desk: AlertDesk) -> None:
        """Answer through a desk."""
        super().__init__(ROWS, desk)
