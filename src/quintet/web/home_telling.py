"""The addresses of telling: where a household wants to be told of alerts, when not, and who else is told."""

from collections.abc import Callable, Sequence

import msgspec
from starlette.routing import BaseRoute

from quintet.terms.alert import WELFARE
from quintet.views.answers_telling import CodeTaken, Telling
from quintet.views.home_telling import HomeTelling
from quintet.views.telling_asked import (
    AwayAsked,
    ChosenAsked,
    CodeAsked,
    MailAsked,
    PushAsked,
    PushLeft,
    TestAsked,
    WebhookAsked,
    WelfareAsked,
)

from .rows import ID, Call, Row, TablePart
from .telling_page import telling_routes


def _drop(channel: str) -> Callable[[HomeTelling, Call], msgspec.Struct]:
    return lambda telling, call: telling.drop(call.reader, channel, call.id)


TAKES = (400, 401, 403, 429, 503)
TOLD = (400, 401, 403, 404, 429, 503)
DROPS = (400, 401, 403, 404)
CODES = (400, 403, 404)
ROWS: tuple[Row[HomeTelling], ...] = (
    Row("GET", "/home/telling", "get_home_telling", "How I am told of alerts, and what I was told.", None, Telling,
        lambda telling, call: telling.told(call.reader)),
    Row("PUT", "/home/telling", "put_home_telling", "Set my quiet hours, and what I do not want to be told.",
        ChosenAsked, Telling, lambda telling, call: telling.choose(call.reader, call.said)),
    Row("PUT", "/home/telling/away", "put_home_telling_away", "Say until when nobody is at home.", AwayAsked, Telling,
        lambda telling, call: telling.away(call.reader, call.said)),
    Row("POST", "/home/telling/mail", "post_home_telling_mail", "Take a mail address; a code goes there first.",
        MailAsked, Telling, lambda telling, call: telling.add_mail(call.reader, call.said), statuses=TAKES),
    Row("DELETE", "/home/telling/mail/{id}", "delete_home_telling_mail_id", "Forget a mail address.", None, Telling,
        _drop("mail"), asked=(ID,), statuses=DROPS),
    Row("POST", "/home/telling/push", "post_home_telling_push", "Take a browser's subscription.", PushAsked, Telling,
        lambda telling, call: telling.add_push(call.reader, call.said), statuses=TAKES),
    Row("POST", "/home/telling/push:leave", "post_home_telling_push_leave", "Forget a subscription by its endpoint.",
        PushLeft, Telling, lambda telling, call: telling.leave_push(call.reader, call.said)),
    Row("DELETE", "/home/telling/push/{id}", "delete_home_telling_push_id", "Forget a subscription.", None, Telling,
        _drop("push"), asked=(ID,), statuses=DROPS),
    Row("POST", "/home/telling/webhook", "post_home_telling_webhook", "Take an address that is called.", WebhookAsked,
        Telling, lambda telling, call: telling.add_webhook(call.reader, call.said), statuses=TAKES),
    Row("DELETE", "/home/telling/webhook/{id}", "delete_home_telling_webhook_id", "Forget an address that is called.",
        None, Telling, _drop("webhook"), asked=(ID,), statuses=DROPS),
    Row("POST", "/home/telling:test", "post_home_telling_test", "Send a test message to one of my addresses.",
        TestAsked, Telling, lambda telling, call: telling.test(call.reader, call.said), statuses=TOLD),
    Row("POST", "/home/telling/welfare", "post_home_telling_welfare",
        "Agree that somebody is told when my home uses no water.", WelfareAsked, Telling,
        lambda telling, call: telling.agree(call.reader, call.said), statuses=TOLD),
    Row("DELETE", "/home/telling/welfare/{id}", "delete_home_telling_welfare_id",
        "Take that back: nothing more is told.", None, Telling, _drop(WELFARE), asked=(ID,), statuses=DROPS),
    Row("POST", "/telling:confirm", "post_telling_confirm", "Confirm an address by the code that went there.",
        CodeAsked, CodeTaken, lambda telling, call: telling.confirm(call.said), statuses=CODES),
    Row("POST", "/telling:stop", "post_telling_stop", "End what is told at an address, by the code in a message.",
        CodeAsked, CodeTaken, lambda telling, call: telling.stop(call.said), statuses=CODES),
)  # fmt: skip
"""Every address of telling. The last two need no reader: a code proves itself."""


class TellingPart(TablePart[HomeTelling]):
    """What the site mounts for telling; what sends is the owner's."""

    def __init__(self, telling: HomeTelling) -> None:
        """Answer through this."""
        super().__init__(ROWS, telling)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The addresses, and the page that opens the codes of messages."""
        return [*super().routes, *telling_routes()]
