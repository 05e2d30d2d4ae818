"""How a person wants to be told of alerts: his addresses, quiet hours, what he agreed that others are told."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from quintet.access.telling import (
    CODE,
    MAIL,
    PUSH,
    TEST,
    WAITING,
    WEBHOOK,
    Audience,
    Chosen,
    Notice,
    Person,
    Target,
    TooManyMessages,
    bounded,
    kept_limits,
)
from quintet.terms.alert import WELFARE, alert_kinds
from quintet.terms.alert_words import kind_name
from quintet.terms.errors import BadInput, CityError, Forbidden, NotFound
from quintet.terms.length import DAY_US
from quintet.terms.period import to_us
from quintet.terms.telling_words import language_of, words

from .accounts import local
from .answers_telling import (
    CodeTaken,
    FalseAlarms,
    MailTarget,
    PushTarget,
    QuietHours,
    Telling,
    TellingCan,
    ToldKind,
    ToldNotice,
    WebhookTarget,
    Welfare,
    WelfareContact,
)
from .asked import day_of, moment_of
from .identity import Reader
from .telling_asked import (
    AwayAsked,
    ChosenAsked,
    CodeAsked,
    MailAsked,
    PushAsked,
    PushLeft,
    QuietAsked,
    TestAsked,
    WebhookAsked,
    WelfareAsked,
)

CONFIRM = "/telling#confirm="
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class TellingSetup:
    """What the operator has set up, and the checks of those who send.

    `address` is where people open the city, without a slash at its end; `minutes` reads 22:00. `wake` is called when
    something waits to be sent, `fresh` when an address came that is to hear of what stands.
    """

    can: Callable[[], TellingCan]
    address: Callable[[], str]
    city: Callable[[str], str]
    check_mail: Callable[[str], str]
    check_url: Callable[[str], None]
    check_keys: Callable[[str, str], None]
    new_secret: Callable[[], str]
    minutes: Callable[[str], int | None]
    welfare_hours: Callable[[], int]
    alarms: Callable[[], FalseAlarms | None]
    wake: Callable[[], None]
    fresh: Callable[[], None]


class HomeTelling:
    """Answers and changes how a person is told. Every method raises Forbidden for who is no person."""

    def __init__(self, audience: Audience, setup: TellingSetup) -> None:
        """Ask these."""
        self._audience = audience
        self._kept = audience.kept
        self._setup = setup

    def told(self, reader: Reader) -> Telling:
        """Say how the reader is told."""
        return self._shown(self._person(reader))

    def choose(self, reader: Reader, asked: ChosenAsked) -> Telling:
        """Set quiet hours and what is not told."""
        person = self._person(reader)
        strange = [one for one in asked.off if one not in alert_kinds()]
        if strange:
            raise BadInput(
                f"there is no kind {strange[0]!r}.",
                code="unknown_kind",
                place="off",
                remedy=f"Kinds are {', '.join(alert_kinds())}.",
                said={"text": strange[0], "known": list(alert_kinds())},
            )
        hours = (0, 0) if asked.quiet is None else self._hours(asked.quiet)
        before = self._kept.chosen(person.id)
        self._kept.choose(
            person.id,
            msgspec.structs.replace(
                before, quiet_from_min=hours[0], quiet_until_min=hours[1], off=tuple(sorted(set(asked.off)))
            ),
        )
        return self._shown(person)

    def away(self, reader: Reader, asked: AwayAsked) -> Telling:
        """Say until when nobody is at home."""
        person = self._person(reader)
        until = "" if asked.until is None else day_of(asked.until).isoformat()
        self._kept.choose(person.id, msgspec.structs.replace(self._kept.chosen(person.id), away_until=until))
        return self._shown(person)

    def add_mail(self, reader: Reader, asked: MailAsked) -> Telling:
        """Take a mail address; a code goes there first."""
        person = self._person(reader)
        self._need(MAIL)
        address = self._setup.check_mail(asked.address)
        own = self._own(person)
        known = next((one for one in own.values() if one.channel == MAIL and one.address == address), None)
        if known is None:
            bounded(own.values(), MAIL, False)
        if known is None or not known.confirmed:
            target = known or Target(MAIL, address, self._now())
            said = words(language_of(person.profile.language))
            self._send_code(person, target, said["code.title"], said["code.text"], {})
        return self._shown(person)

    def add_push(self, reader: Reader, asked: PushAsked) -> Telling:
        """Take a browser's subscription; one of the same endpoint is replaced."""
        person = self._person(reader)
        self._need(PUSH)
        self._setup.check_url(asked.endpoint)
        self._setup.check_keys(asked.keys.p256dh, asked.keys.auth)
        own = self._own(person)
        known = next((name for name, one in own.items() if one.address == asked.endpoint), "")
        if not known:
            bounded(own.values(), PUSH, False)
        now = self._now()
        made = Target(
            PUSH, asked.endpoint, now, now, label=_short(asked.label), p256dh=asked.keys.p256dh, auth=asked.keys.auth,
            made_for=self._audience.vapid.public,
        )  # fmt: skip
        self._kept.keep_target(person.id, made, known)
        self._setup.fresh()
        return self._shown(person)

    def leave_push(self, reader: Reader, asked: PushLeft) -> Telling:
        """Forget the subscription of an endpoint, if it is one of the reader's."""
        person = self._person(reader)
        for name, one in self._own(person).items():
            if one.channel == PUSH and one.address == asked.endpoint:
                self._kept.drop_target(person.id, name)
        return self._shown(person)

    def add_webhook(self, reader: Reader, asked: WebhookAsked) -> Telling:
        """Take an address that is to be called; its secret is in the answer, once."""
        person = self._person(reader)
        self._need(WEBHOOK)
        self._setup.check_url(asked.url)
        bounded(self._own(person).values(), WEBHOOK, False)
        now = self._now()
        made = Target(WEBHOOK, asked.url, now, now, secret=self._setup.new_secret())
        name = self._kept.keep_target(person.id, made)
        self._setup.fresh()
        return self._shown(person, {name: made.secret})

    def drop(self, reader: Reader, channel: str, name: str) -> Telling:
        """Forget an address of one's own, or take a contact's consent back (channel: welfare)."""
        person = self._person(reader)
        target = self._kept.target(person.id, name)
        if target is None or channel != (WELFARE if target.contact else target.channel):
            raise NotFound(f"there is no {name!r}.", code="unknown_target", place="id", remedy="Look at your list.")
        self._end(person, name, target)
        return self._shown(person)

    def test(self, reader: Reader, asked: TestAsked) -> Telling:
        """Send a message to one of one's own addresses, at once."""
        person = self._person(reader)
        target = self._own(person).get(asked.id)
        if target is None or not target.confirmed:
            raise NotFound(
                "is no address that may be told.", code="unknown_target", place="id", remedy="Confirm it first."
            )
        self._need(target.channel)
        now = self._now()
        if self._kept.tests_since(person.id, now - DAY_US) >= kept_limits().tests_a_day:
            raise TooManyMessages(
                "enough tests for a day.", code="too_many_tests", place="id", remedy="Try again tomorrow."
            )
        said = words(language_of(person.profile.language))
        self._lay(person, asked.id, target, TEST, said["test.title"], said["test.text"], f"test.{now}")
        return self._shown(person)

    def agree(self, reader: Reader, asked: WelfareAsked) -> Telling:
        """Agree that somebody is told when a home uses no water; he is asked whether he agrees too."""
        person = self._person(reader)
        name, place = _short(asked.contact), self._home(reader, person, asked.place)
        if not asked.agree or not name:
            raise BadInput("is not agreed to.", code="not_agreed", place="agree", remedy="Name somebody, and agree.")
        if bool(asked.mail) == bool(asked.webhook):
            raise BadInput("is one of mail and webhook.", code="bad_contact", place="mail", remedy="Give one of them.")
        channel = MAIL if asked.mail else WEBHOOK
        self._need(channel)
        address = self._setup.check_mail(asked.mail) if asked.mail else asked.webhook
        if asked.webhook:
            self._setup.check_url(address)
        for gone, one in self._kept.targets(person.id).items():  # whose consent ended elsewhere, or by its time
            if not self._audience.agreed(person.id, one):
                self._kept.drop_target(person.id, gone)
        bounded(self._kept.targets(person.id).values(), channel, True)
        tz = self._audience.identities.registry.tz
        until = None if asked.until is None else to_us(moment_of(asked.until, tz, "until"))
        target = Target(channel, address, self._now(), contact=name, place=place, secret=self._setup.new_secret())
        self._kept.check_codes(person.id, target, self._now())
        consent = self._audience.agree(person, name, WELFARE, place, until, _needed())
        said = words(language_of(person.profile.language))
        self._send_code(
            person, msgspec.structs.replace(target, consent=consent), said["code.contact.title"],
            said["code.contact.text"], {"contact": name, "hours_dry": str(self._setup.welfare_hours())},
        )  # fmt: skip
        made = next(name for name, one in self._kept.targets(person.id).items() if one.consent == consent)
        return self._shown(person, {} if channel == MAIL else {made: target.secret})

    def confirm(self, asked: CodeAsked) -> CodeTaken:
        """Confirm an address by the code that went there, whoever opens it."""
        _, _, target = self._kept.confirm(asked.code, self._now())
        self._setup.fresh()
        return _taken(target)

    def stop(self, asked: CodeAsked) -> CodeTaken:
        """End what is told at an address, by the code in each message; of a contact the consent ends."""
        owner, name, target = self._kept.stopped(asked.code)
        person = self._audience.identities.people.person(owner)
        if person is not None:
            self._end(person, name, target)
        return _taken(target)

    def _end(self, person: Person, name: str, target: Target) -> None:
        self._audience.revoke(person, target)
        self._kept.drop_target(person.id, name)

    def _send_code(self, person: Person, target: Target, title: str, text: str, more: dict[str, str]) -> None:
        """Keep an address and lay its code into the outbox."""
        name, _, code = self._kept.ask(person, target, self._now())
        said = {"name": _short(person.profile.display), "city": self._setup.city(language_of(person.profile.language))}
        said |= {"hours": str(kept_limits().code_hours), **more}
        link = f"{self._setup.address()}{CONFIRM}{code}"
        self._lay(person, name, target, CODE, title.format(**said), f"{text.format(**said)}\n\n{link}", f"code.{name}")

    def _lay(self, person: Person, name: str, target: Target, kind: str, title: str, text: str, key: str) -> None:
        now = self._now()
        notice = Notice(
            name, key, target.place, kind, "", title, text, "", "/home", now, now, now, channel=target.channel,
            language=language_of(person.profile.language), address=target.address if kind == CODE else "",
        )  # fmt: skip
        if not self._kept.lay(person.id, f"{key}.{secrets.token_hex(6)}", notice):
            raise TooManyMessages("too much waits to be sent.", code="too_many_waiting", remedy="Try again later.")
        self._setup.wake()

    def _shown(self, person: Person, shown_once: dict[str, str] | None = None) -> Telling:
        chosen, tz = self._kept.chosen(person.id), self._audience.identities.registry.tz
        own, once = self._own(person), shown_once or {}
        notices = sorted(self._kept.notices(person.id).values(), key=lambda one: -one.at_us)
        mails = [(name, one) for name, one in own.items() if one.channel == MAIL]
        pushes = [(name, one) for name, one in own.items() if one.channel == PUSH]
        hooks = [(name, one) for name, one in own.items() if one.channel == WEBHOOK]
        return Telling(
            self._setup.can(),
            self._audience.vapid.public,
            [MailTarget(name, one.address, _state(one), local(one.created_us, tz), one.trouble or None)
             for name, one in mails],
            [PushTarget(name, one.label, _host(one.address), local(one.created_us, tz), one.trouble or None)
             for name, one in pushes],
            [WebhookTarget(name, one.address, local(one.created_us, tz), one.trouble or None, once.get(name))
             for name, one in hooks],
            QuietHours(_clock(chosen.quiet_from_min), _clock(chosen.quiet_until_min)) if chosen.quiet else None,
            tz.key,
            _kinds(chosen),
            chosen.away_until or None,
            [ToldNotice(local(one.at_us, tz), one.channel, one.title, one.state, one.reason or None)
             for one in notices[: kept_limits().shown]],
            sum(one.state == WAITING for one in notices),
            self._welfare(person, tz, once),
        )  # fmt: skip

    def _welfare(self, person: Person, tz: ZoneInfo, once: dict[str, str]) -> Welfare:
        contacts: list[WelfareContact] = []
        for name, one in self._kept.targets(person.id).items():
            said = person.passes.get(one.consent)
            if one.contact and said is not None and self._audience.agreed(person.id, one):
                contacts.append(
                    WelfareContact(
                        name, one.consent, one.place, one.contact, one.channel, one.address, _state(one),
                        local(said.created_us, tz), local(said.until_us, tz), one.trouble or None, once.get(name),
                    )
                )  # fmt: skip
        homes = self._audience.homes(person)
        needed = frozenset(_needed())
        offered = any(needed & self._audience.meters(place) for place in homes)
        return Welfare(self._setup.welfare_hours(), offered, self._setup.alarms(), contacts)

    def _home(self, reader: Reader, person: Person, place: str | None) -> str:
        """Give the dwelling that is meant, where the reader lives now: who moved out agrees to nothing there."""
        homes = self._audience.homes(person)
        chosen = place or (homes[0] if len(homes) == 1 else "")
        if chosen not in homes:
            raise reader.identity.scope.not_yours(chosen)
        return chosen

    def _hours(self, asked: QuietAsked) -> tuple[int, int]:
        first, last = self._setup.minutes(asked.start), self._setup.minutes(asked.until)
        if first is None or last is None or first == last:
            raise BadInput(
                "are no hours.", code="bad_quiet", place="quiet", remedy="Write two times of a day, 22:00 and 07:00."
            )
        return first, last

    def _need(self, channel: str) -> None:
        if not getattr(self._setup.can(), channel):
            raise CityError(
                "is not set up in this city.", code="not_set_up", place=channel, remedy="See docs/telling.md."
            )

    def _own(self, person: Person) -> dict[str, Target]:
        return {name: one for name, one in self._kept.targets(person.id).items() if not one.contact}

    def _now(self) -> int:
        return self._kept.people.now_us()

    def _person(self, reader: Reader) -> Person:
        person = reader.identity.person
        if person is None:
            raise Forbidden(
                "is for people only.", code="not_a_person", place="Authorization", remedy="Sign in instead."
            )
        return person


def _kinds(chosen: Chosen) -> list[ToldKind]:
    return [
        ToldKind(code, kind_name(code, "en"), kind_name(code, "ko"), code not in chosen.off, row.urgent)
        for code, row in alert_kinds().items()
    ]


def _needed() -> tuple[str, ...]:
    """Name the utilities that the welfare alert looks at."""
    kind = alert_kinds().get(WELFARE)
    return () if kind is None else tuple(kind.commodities)


def _taken(target: Target) -> CodeTaken:
    return CodeTaken("welfare" if target.contact else target.channel, target.contact or target.address)


def _state(target: Target) -> str:
    return "confirmed" if target.confirmed else "waiting"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _short(text: str) -> str:
    """Give a name as it may stand in a message to a stranger: short, and nothing that could be an address."""
    kept = "".join(sign if sign.isalnum() or sign in "-' " else " " for sign in text)
    return " ".join(kept.split())[:LONGEST_NAME]


def _host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0]
