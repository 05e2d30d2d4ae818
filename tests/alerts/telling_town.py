"""A city with people who want to be told: its outbox, a teller, and a channel that keeps what left."""

import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from tests.app.peopled import HOMES, START, Hand

from quintet.access.telling import Audience, Notice, Target
from quintet.alerts.channel import SENT, Channel, Outcome, Parcel
from quintet.alerts.telling import Said, Teller, Tools
from quintet.app.city import City, settings_text
from quintet.registry.person import RESIDENT, Person, Right
from quintet.store.records import FOREVER
from quintet.terms.alert import ONCE, Alert
from quintet.terms.period import to_us

HOME = HOMES[0]
SECOND_US = 1_000_000


@dataclass
class Kept:
    """A channel that keeps what left, and ends as it is told."""

    outcome: Outcome = SENT
    sent: list[tuple[Target, Parcel]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, target: Target, parcel: Parcel) -> Outcome:
        with self.lock:
            self.sent.append((target, parcel))
        return self.outcome

    @property
    def titles(self) -> list[str]:
        return [notice.title for _, parcel in self.sent for notice in parcel.notices]


class Town:
    """One city, opened anew as often as a test wants."""

    def __init__(self, folder: Path, hand: Hand, channels: dict[str, Channel] | None = None) -> None:
        self.folder, self.hand = folder, hand
        if not folder.exists():
            folder.mkdir()
            text = settings_text("Naju", "나주", "Asia/Seoul", simulated=False)
            (folder / "city.toml").write_text(text + PLACES)
        self.city = City.open(folder, now=hand)
        self.kept = self.city.tellings
        self.audience = Audience(self.city.identities, self.kept, self.city.read_log)
        self.channel = Kept()
        self.told: list[tuple[str, str]] = []
        self.ended: set[str] = set()
        self.teller = Teller(self.audience, channels or {"mail": self.channel}, self.tools())

    def tools(self) -> Tools:
        return Tools(
            now_us=self.hand,
            tz=lambda: self.city.registry().tz,
            city=lambda language: "나주" if language == "ko" else "Naju",
            address=lambda: "https://naju.example",
            say=lambda alert, language: Said(f"{alert.kind} {language}", f"text of {alert.id}", "do it"),
            say_to_contact=lambda _alert, _language, person: Said(f"{person.profile.display}: no water", "call", ""),
            told=self._told,
            stands=lambda alert, _place: alert not in self.ended,
        )

    def _told(self, notice: Notice, _target: Target, outcome: str) -> None:
        self.told.append((notice.alert, outcome))

    def again(self) -> "Town":
        """Open the same folder anew, as after a restart."""
        self.city.close()
        return Town(self.folder, self.hand)

    def person(self, name: str = "mina", place: str = HOME, language: str = "en") -> Person:
        person = self.city.people.add(name, name.title(), language=language, actor="test")
        since = to_us(START - timedelta(days=400))
        self.city.people.grant(person, Right(RESIDENT, place, self.hand(), since, FOREVER), actor="test")
        return person

    def mail(self, person: Person, address: str = "mina@naju.example") -> str:
        """Give a person a confirmed address; its id."""
        return self.kept.keep_target(person.id, Target("mail", address, self.hand(), confirmed_us=self.hand()))

    def alert(self, name: str = "a1", kind: str = "tier", place: str = HOME, **more: object) -> Alert:
        now = self.hand()
        made = Alert(
            name, place, kind, "water", now - 3600 * SECOND_US, now - 86400 * SECOND_US, 0, now,
            {"tier": 2, "flow": 10.0}, 1000, ONCE, "", 0.99,
        )  # fmt: skip
        return replace(made, **more)

    def wait(self, **more: float) -> None:
        self.hand.now += timedelta(**more)


PLACES = "".join(
    f'\n[[place]]\nid = "{name}"\nlevel = "{level}"\nparent = "{parent}"\nname_en = "{name}"\nname_ko = "{name}"\n'
    for name, level, parent in (
        ("c1", "complex", "city"),
        ("c1/101", "building", "c1"),
        ("c1/101/1", "premise", "c1/101"),
        ("c1/101/2", "premise", "c1/101"),
    )
)
