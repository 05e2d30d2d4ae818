"""Telling people of alerts, wired to a city: the channels that the operator set up, and the thread that sends."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache

from quintet.access.telling import Audience, Notice, Person, Target
from quintet.alerts.channel import Channel
from quintet.alerts.limits import limits
from quintet.alerts.mail import Mail, checked_address
from quintet.alerts.outbound import Outbound
from quintet.alerts.quiet import minutes_of
from quintet.alerts.telling import Said, Teller, Tools
from quintet.alerts.telling_limits import SECOND_US, telling_limits
from quintet.alerts.web_push import WebPush, check_subscription
from quintet.alerts.webhook import Webhook, new_secret
from quintet.terms.alert import STANDING, WELFARE, Alert
from quintet.terms.alert_words import said
from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import NotFound
from quintet.terms.period import day_start, from_us, to_us
from quintet.terms.telling_words import words
from quintet.views.answers_telling import FalseAlarms, TellingCan
from quintet.views.home_telling import HomeTelling, TellingSetup

from .city import City
from .door import Failure, guarded
from .show import say
from .telling_settings import TellingSettings

LOOK_S = 5.0
"""How often the outbox is looked at; what a person asks for himself is sent at once."""
AGAIN_S = 60.0
"""After a failure of this machine's own the next look waits this long."""
STOP_S = 30.0
CATCH_UP_S = 3600.0
"""Dwellings are looked at once an hour at most: so often an alert may have got worse."""


class CityTelling:
    """Tells the people of one city; `begin` starts to send, `end` waits for what is on its way."""

    def __init__(
        self, city: City, settings: TellingSettings, address: Callable[[], str], *, look_s: float = LOOK_S
    ) -> None:
        """Tell through these channels; `address` gives where people open the city, without a slash at its end."""
        self._address = address
        self._city = city
        self._look_s, self._again_s = look_s, 0.0
        self._settings = settings
        self.audience = Audience(city.identities, city.tellings, city.read_log)
        self._outbound = Outbound(settings.allow, telling_limits().send_seconds)
        self._ending, self._wake = threading.Event(), threading.Event()
        channels: dict[str, Channel] = {"webhook": Webhook(self._outbound, self._now_s), "push": self._push()}
        if settings.mail is not None:
            channels["mail"] = Mail(settings.mail)
        self.teller = Teller(self.audience, channels, self._tools())
        self.home = HomeTelling(self.audience, self._setup())
        self._thread = threading.Thread(target=self._run, name="telling", daemon=True)

    def tell(self, news: Sequence[Alert]) -> int:
        """Lay what is new into the outbox and return; give how many messages that made."""
        laid = self.teller.tell(news)
        self._wake.set()
        return laid

    def watched(self) -> dict[str, int]:
        """Give the dwellings for which the welfare alert was agreed to, and until when somebody said he is away.

        Microseconds since 1970; 0: nobody is away.
        """
        tz = self._city.registry().tz
        return {
            place: to_us(day_start(date.fromisoformat(until), tz)) if until else 0
            for place, until in self.audience.watched().items()
        }

    def begin(self) -> None:
        """Start to send."""
        self._thread.start()

    def end(self) -> None:
        """Send no more, and wait a while for what is on its way: what is not noted is sent again, under its name."""
        self._ending.set()
        self.teller.ending.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def catch_up(self) -> int:
        """Lay what stands and was not laid (the process may have ended between the two), or got worse since."""
        return self.teller.catch_up([one for one in self._city.alerts.open() if one.state == STANDING])

    def _look(self) -> int:
        """Send what is due; at times look whether all that stands was laid."""
        now_s = time.monotonic()
        if now_s >= self._again_s:
            self._again_s = now_s + CATCH_UP_S
            self.catch_up()
        return self.teller.send()

    def _fresh(self) -> None:
        """Look at once for what stands and was not laid: an address came."""
        self._again_s = 0.0
        self._wake.set()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._wake.clear()
            outcome = guarded(self._look)
            if isinstance(outcome, Failure):
                say(f"quintet: telling people: {outcome.line()} Tried again in {AGAIN_S:.0f} s.")
                self._ending.wait(AGAIN_S)
            else:
                self._wake.wait(self._look_s)

    def _push(self) -> WebPush:
        return WebPush(self._outbound, self.audience.vapid, self._contact, self._now_s)

    def _now_s(self) -> int:
        return self._city.now() // SECOND_US

    def _contact(self) -> str:
        """Give where push services find the city's people; nothing on this machine alone."""
        here = self._address()
        return self._settings.contact or (here if here.startswith("https:") else "")

    def _tools(self) -> Tools:
        return Tools(
            now_us=self._city.now,
            tz=lambda: self._city.registry().tz,
            city=self._named,
            address=self._address,
            say=self._say,
            say_to_contact=self._say_to_contact,
            told=self._told,
            stands=self._stands,
        )

    def _setup(self) -> TellingSetup:
        return TellingSetup(
            can=lambda: TellingCan(self._settings.mail is not None, True, True),
            address=self._address,
            city=self._named,
            check_mail=checked_address,
            check_url=self._outbound.check,
            check_keys=check_subscription,
            new_secret=new_secret,
            minutes=minutes_of,
            welfare_hours=lambda: limits(WELFARE)["hours"],
            alarms=false_alarms,
            wake=self._wake.set,
            fresh=self._fresh,
        )

    def _named(self, language: str) -> str:
        city = self._city.registry().city
        return city.name_ko if language == "ko" else city.name_en

    def _say(self, alert: Alert, language: str) -> Said:
        found = said(alert, language, self._city.registry().tz)
        return Said(found.title, " ".join(part for part in (found.text, found.won) if part), found.action)

    def _say_to_contact(self, alert: Alert, language: str, person: Person) -> Said:
        """Give what somebody else is told: whose home, since when, and nothing more."""
        table, since = words(language), from_us(alert.since_us).astimezone(self._city.registry().tz)
        hours, name = alert.figures.get("hours", ""), person.profile.display
        given = {"name": name, "hours": hours, "since": f"{since:%Y-%m-%d %H:%M}"}
        return Said(table["contact.title"].format(**given), table["contact.text"].format(**given), "")

    def _stands(self, alert: str, place: str) -> bool:
        known = next((one for one in self._city.alerts.of(place) if one.id == alert), None)
        return known is None or known.state == STANDING

    def _told(self, notice: Notice, target: Target, outcome: str) -> None:
        """Note with the alert itself how telling it ended."""
        try:
            self._city.alerts.told(notice.alert, by=target.channel, outcome=outcome)
        except NotFound:
            return  # its city was put back to a copy from before it was raised


@cache
def false_alarms() -> FalseAlarms | None:
    """Give how often the welfare alert fires for homes that are merely empty: counted, never guessed; None: not yet."""
    table = read_toml("quintet.alerts", "no_water_rate.toml")
    check_keys(table, required={"source", "measured"}, optional=set(), place="no_water_rate.toml")
    row = table["measured"]
    needed = {"false_alarms", "households", "days", "date"}
    check_keys(row, required=needed, optional={"told_away"}, place="no_water_rate.toml [measured]")
    years = row["households"] * row["days"] / 365
    return FalseAlarms(round(row["false_alarms"] / years, 1), row["households"], row["days"], row["date"])
