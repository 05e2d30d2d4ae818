"""Telling people of alerts: what is to be told is laid into a durable outbox, then sent, each once.

A parcel is named before it leaves and noted after it arrived: what happens between may send it again, under the same
name (at least once). Who may be told is asked twice, when a notice is laid and when it leaves. A subject (a kind of
alert at a dwelling for a utility) is told once to each target, and again when it got materially worse.
"""

import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from quintet.access.telling import CODE, DROPPED, GIVEN_UP, SENT, TEST, WAITING, Audience, Notice, Person, Target, over
from quintet.terms.alert import ENDED, STANDING, WELFARE, Alert
from quintet.terms.errors import CityError
from quintet.terms.length import DAY_US, HOUR_US
from quintet.terms.period import from_us
from quintet.terms.telling_words import language_of, words

from .channel import Channel, Outcome, Parcel
from .quiet import told_from
from .telling_limits import SECOND_US, telling_limits

OWN = frozenset({CODE, TEST})
"""Notices that a person asked for himself: told at once, whatever the hour."""
HOME = "/home/alerts"
STOP = "/telling#stop="


@dataclass(frozen=True, slots=True)
class Said:
    """What an alert says in one language."""

    title: str
    text: str
    action: str


@dataclass(frozen=True, slots=True)
class Tools:
    """What telling needs of a city: its clock and names, the words of alerts, and where what was told is noted.

    `stands` tells whether an alert, of a place, is to be told still: it has not ended, and nobody called it no problem.
    `address` is where people open the city, without a slash at its end.
    """

    now_us: Callable[[], int]
    tz: Callable[[], ZoneInfo]
    city: Callable[[str], str]
    address: Callable[[], str]
    say: Callable[[Alert, str], Said]
    say_to_contact: Callable[[Alert, str, Person], Said]
    told: Callable[[Notice, Target, str], None]
    stands: Callable[[str, str], bool]


Item = tuple[str, Notice]


class Teller:
    """Lays notices into the outbox and sends them. `take` and `send` may be called from different threads."""

    def __init__(self, audience: Audience, channels: Mapping[str, Channel], tools: Tools) -> None:
        """Tell these people through these channels; one that is missing cannot be used."""
        self._audience = audience
        self._kept = audience.kept
        self.channels = channels
        self._tools = tools
        self.ending = threading.Event()
        """Once set, nothing more is sent: what is on its way ends."""

    def tell(self, news: Sequence[Alert]) -> int:
        """Lay what is new into the outbox; what has ended is not told any more. Give how many notices were laid."""
        if not news or not self._kept.people.present:
            return 0
        residents, laid = self._audience.residents(), 0
        standing = [alert for alert in news if alert.state == STANDING]
        for alert in news:
            if alert.state == ENDED:
                self._withdraw(alert, [person.id for person, _ in residents.get(alert.place, ())])
        for alert in standing:
            for person, home in residents.get(alert.place, ()):
                if home.from_us <= alert.from_us:
                    laid += self._lay(person, alert)
        return laid

    def catch_up(self, standing: Sequence[Alert]) -> int:
        """Lay what of all alerts that stand was not laid, or got materially worse; forget what was told long ago."""
        self._kept.prune(self._tools.now_us(), [alert.id for alert in standing])
        return self.tell(standing)

    def _lay(self, person: Person, alert: Alert) -> int:
        chosen, kept = self._kept.chosen(person.id), self._kept.notices(person.id)
        language, laid = language_of(person.profile.language), 0
        for name, target in self._kept.targets(person.id).items():
            if not self._wants(person, chosen.off, target, alert):
                continue
            key = subject_of(name, alert)
            before = kept.get(key)
            if before is not None and not self._again(before, alert):
                continue
            said = (
                self._tools.say_to_contact(alert, language, person)
                if target.contact
                else self._tools.say(alert, language)
            )
            notice = self._notice(name, alert, said, before, language)
            laid += self._kept.lay(person.id, key, msgspec.structs.replace(notice, channel=target.channel))
        return laid

    def _wants(self, person: Person, off: Sequence[str], target: Target, alert: Alert) -> bool:
        """Tell whether a target is to hear of an alert: one's own of what is wanted, a contact of one thing only.

        One's own hears of what stood before it came; a contact's consent does not reach back.
        """
        if not target.confirmed:
            return False
        if target.contact:
            agreed = alert.kind == WELFARE and alert.place == target.place and self._audience.agreed(person.id, target)
            later = target.confirmed_us <= alert.raised_us
            return agreed and later and not self._away(self._kept.chosen(person.id).away_until, self._tools.now_us())
        return alert.kind not in off

    def _again(self, before: Notice, alert: Alert) -> bool:
        """Tell whether what was told, or is to be told, of a subject is to be told again."""
        if before.alert != alert.id and before.state in (DROPPED, GIVEN_UP):  # it never arrived
            return True
        worse = before.worth > 0 and worth_of(alert) >= before.worth * alert.row.times
        fresh = before.alert != alert.id and alert.raised_us - before.raised_us >= telling_limits().again_days * DAY_US
        return worse or fresh

    def _notice(self, target: str, alert: Alert, said: Said, before: Notice | None, language: str) -> Notice:
        now = self._tools.now_us()
        return Notice(
            target, alert.id, alert.place, alert.kind, alert.commodity, said.title, said.text, said.action, HOME,
            alert.since_us, now, now, urgent=alert.urgent, worth=worth_of(alert), raised_us=alert.raised_us,
            round=0 if before is None else before.round + 1, language=language,
        )  # fmt: skip

    def _withdraw(self, alert: Alert, people: Sequence[str]) -> None:
        """Drop what waits to be told of an alert that has ended; who moved out meanwhile is told nothing anyway."""
        now = self._tools.now_us()
        for person in people:
            for name, notice in self._kept.notices(person).items():
                if notice.alert == alert.id and notice.state == WAITING:
                    self._kept.keep_notice(person, name, over(notice, DROPPED, now, "over"))

    def send(self) -> int:
        """Send what is due; give how many parcels left. One that fails is tried again, later each time."""
        groups: dict[tuple[str, str], list[Item]] = {}
        now = self._tools.now_us()
        for person, name in self._kept.due(now):
            notice = self._kept.notices(person).get(name)
            if notice is not None:
                groups.setdefault((person, notice.target), []).append((name, notice))
        chosen = list(groups.items())[: telling_limits().parcels_a_pass]
        if not chosen:
            return 0
        with ThreadPoolExecutor(telling_limits().senders, "telling") as pool:
            return sum(pool.map(lambda one: self._group(one[0][0], one[0][1], one[1], now), chosen))

    def _group(self, person: str, target_name: str, items: list[Item], now: int) -> int:
        """Send what is due for one target; what may not be told, or not now, is left out."""
        if self.ending.is_set():
            return 0
        try:
            target = self._kept.target(person, target_name)
            ready = [one for one in items if target is not None and self._may(person, target, one, now)]
            if target is None or not ready:
                return 0  # what waited for a target that was taken away was dropped with it
            began = [one for one in ready if one[1].parcel]  # its arrival is not known: the same parcel again
            if began:
                ready = [one for one in began if one[1].parcel == began[0][1].parcel]
            elif any(one[1].kind in OWN for one in ready):
                ready = [next(one for one in ready if one[1].kind in OWN)]
            return self._parcel(person, target_name, target, ready, now)
        except CityError as error:
            if error.code != "person_erased":
                raise
            return 0  # erased while this went on: what was sent was sent, nothing is kept

    def _may(self, person: str, target: Target, item: Item, now: int) -> bool:
        """Ask again whether a notice may be told now; one that may not is dropped or waits."""
        name, notice = item
        chosen = self._kept.chosen(person)
        reason = ""
        if self._audience.person(person) is None:
            reason = "disabled"
        elif notice.kind in OWN:
            return True
        elif not self._tools.stands(notice.alert, notice.place):
            reason = "over"
        elif self._audience.lives_there(person, notice.place, notice.since_us) is None:
            reason = "moved"
        elif not self._audience.agreed(person, target):
            reason = "revoked"
        elif target.contact and self._away(chosen.away_until, now):
            reason = "away"
        elif not target.contact and notice.kind in chosen.off:
            reason = "unwanted"
        if reason:
            self._kept.keep_notice(person, name, over(notice, DROPPED, now, reason))
            return False
        if notice.urgent:
            return True
        later = told_from(now, self._tools.tz(), chosen.quiet_from_min, chosen.quiet_until_min)
        if self._today(person, notice.target, now) >= telling_limits().parcels_a_day:
            later = max(later, now + HOUR_US)
        if later > now:
            self._kept.keep_notice(person, name, msgspec.structs.replace(notice, due_us=later))
        return later <= now

    def _away(self, until: str, now: int) -> bool:
        """Tell whether somebody said that he is away still: until a local day, 2026-12-03."""
        return bool(until) and from_us(now).astimezone(self._tools.tz()).date().isoformat() < until

    def _today(self, person: str, target: str, now: int) -> int:
        """Count the parcels that reached a target within a day."""
        found = self._kept.notices(person).values()
        return len({one.parcel for one in found if one.target == target and one.over_us > now - DAY_US})

    def _parcel(self, person: str, target_name: str, target: Target, items: list[Item], now: int) -> int:
        channel = self.channels.get(target.channel)
        if channel is None:
            self._ended(person, target_name, target, items, Outcome("later", "not_set_up"), now)
            return 0
        name = items[0][1].parcel or secrets.token_hex(16)
        named = [(key, msgspec.structs.replace(one, parcel=name)) for key, one in items]
        for key, one in named:
            if not one.parcel or one != dict(items)[key]:
                self._kept.keep_notice(person, key, one)
        outcome = channel.send(target, self._written(target_name, target, named))
        self._ended(person, target_name, target, named, outcome, now)
        return 1 if outcome.end == "sent" else 0

    def _written(self, target_name: str, target: Target, items: list[Item]) -> Parcel:
        """Make a parcel of notices: the same one each time that it is sent."""
        notices = tuple(one for _, one in items)
        first, address = notices[0], self._tools.address()
        title = first.title
        if len(notices) > 1:
            title = words(first.language)["digest.title"].format(count=len(notices))
        code = any(one.kind == CODE for one in notices)
        may_stop = target.channel != "push" and (bool(target.contact) or not code)
        stop = f"{address}{STOP}{self._kept.stop_code(target_name)}" if may_stop else ""
        home = f"{address}{first.url}" if first.url.startswith("/") else ""
        city = self._tools.city(first.language)
        if target.contact and not code:
            self._note(target, notices)
        return Parcel(first.parcel, notices, first.language, title, max(one.at_us for one in notices), city, home, stop)

    def _note(self, target: Target, notices: Sequence[Notice]) -> None:
        """Write into the read log what somebody else is told, before he is."""
        for one in notices:
            self._audience.note(target, one.place, one.since_us, self._tools.now_us(), "no water for a day", WELFARE)

    def _ended(
        self, person: str, target_name: str, target: Target, items: list[Item], outcome: Outcome, now: int
    ) -> None:
        """Note how sending ended; a target that is gone is forgotten."""
        limits = telling_limits()
        for key, one in items:
            tries = one.tries + 1
            if outcome.end == "sent":
                done = over(one, SENT, now)
            elif outcome.end == "later" and now - one.at_us < limits.give_up_hours * HOUR_US:
                wait = max(limits.wait_us(tries), outcome.after_s * SECOND_US)
                done = msgspec.structs.replace(one, tries=tries, due_us=now + wait, reason=outcome.reason)
            else:
                done = over(one, GIVEN_UP, now, outcome.reason)
            self._kept.settle(person, key, one, done)
            if one.kind not in OWN and done.state != WAITING:
                self._tools.told(one, target, done.state)
        if outcome.end == "gone":
            self._kept.drop_target(person, target_name, "gone")
        else:
            self._troubled(person, target_name, target, outcome)

    def _troubled(self, person: str, name: str, target: Target, outcome: Outcome) -> None:
        trouble = "" if outcome.end == "sent" else outcome.reason
        if trouble != target.trouble and self._kept.target(person, name) is not None:
            self._kept.keep_target(person, msgspec.structs.replace(target, trouble=trouble), name)


def subject_of(target: str, alert: Alert) -> str:
    """Name what is told once to a target: the kind, at a dwelling, of a utility."""
    said = "\0".join((alert.place, alert.kind, alert.commodity))
    return f"{target}.{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def worth_of(alert: Alert) -> float:
    """Give the figure by which an alert of its kind gets worse; 0 where it has none."""
    found = alert.figures.get(alert.row.figure)
    return float(found) if isinstance(found, int | float) else 0.0
