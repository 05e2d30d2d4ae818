"""What stands behind the address for events: the same operations as the commands have, each in its turn."""

from collections.abc import Mapping

from quintet.ingest.http_events import BehindEvents, EventOrder, WithdrawOrder

from .answer import no_progress
from .answers_events import event_add, event_list, event_withdraw
from .city import City
from .requests import EventAdd, EventList, EventWithdraw
from .turns import Turns


def events_behind(city: City, turns: Turns, patience_s: float) -> BehindEvents:
    """Give what states, withdraws and lists events of an open city; who waits longer is turned away."""

    def add(order: EventOrder, source: str) -> bytes:
        asked = EventAdd(
            order.kind, order.start, order.by, order.reason, order.end, order.place, order.channel, order.detail, source
        )
        with turns.mine(patience_s):
            return event_add(city, asked, no_progress).document

    def withdraw(number: int, order: WithdrawOrder, source: str) -> bytes:
        with turns.mine(patience_s):
            return event_withdraw(city, EventWithdraw(number, order.by, order.reason, source), no_progress).document

    def listed(given: Mapping[str, str]) -> bytes:
        names = {"from": "start", "to": "end"}
        asked = EventList(**{names.get(name, name): text for name, text in given.items()})
        return event_list(city, asked, no_progress).document

    return BehindEvents(city.tokens.admit, add, withdraw, listed)
