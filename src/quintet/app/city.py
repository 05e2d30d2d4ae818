"""A city on this machine: its folder, and the parts wired together. Only here a concrete engine is named."""

import hashlib
import json
import re
import sys
import threading
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from quintet.access import Access, Scope
from quintet.access.identities import Identities
from quintet.access.read_log import ReadLog, VaultLog
from quintet.jobs.closing import close_days, refresh_closed
from quintet.jobs.doctor import Examination, examine
from quintet.jobs.vee_run import Report, run
from quintet.ledger.targets import refuse_unplaced
from quintet.pipeline.clocks import stated_clock
from quintet.pipeline.commit import Pipeline, now_us
from quintet.registry import Registry, apply_settings
from quintet.registry.alerts import StandingAlerts
from quintet.registry.entrance import Entrance
from quintet.registry.people import People
from quintet.registry.stays import Stays
from quintet.registry.telling import Tellings
from quintet.registry.tokens import Tokens
from quintet.store.backup import create_backup
from quintet.store.book import read_records
from quintet.store.durable import made_folder, write_durably
from quintet.store.engine import Engine
from quintet.store.records import Record, believed
from quintet.store.stated import refuse_flipped, state, state_of, stated
from quintet.store.vault import Vault
from quintet.terms.catalogue import named_in, read_toml, read_toml_file
from quintet.terms.errors import BadInput, CityError, UsageError
from quintet.terms.reading import clock
from quintet.vee import Rules, rules

from .belongings import belongings, of_people
from .ledger_settings import ledger_records, split_settings
from .metrics_facts import Observer
from .metrics_watch import Watch
from .rules_table import RULES, rules_of

SETTINGS = "city.toml"
TIMEZONE = re.compile(r"(?m)^timezone *= *(\"[^\"]*\"|'[^']*')")
"""The line of city.toml that states the clock."""
SWITCH_S = 0.0005
"""How long one thread of Python may hold the others up: a page is read while readings pour in."""


class City:
    """One open city. Whoever holds it is the owner: nobody else may open the folder meanwhile."""

    def __init__(
        self, folder: Path, engine: Engine, now: Callable[[], int], rules_in_force: Rules | None = None
    ) -> None:
        """Wire the parts over an open engine; without rules those that ship are in force."""
        self.folder = folder
        self.engine = engine
        self.now = now
        self.rules: Rules = rules_in_force or rules()
        self.pipeline = Pipeline(engine, self.rules, now=now)
        self.tokens = Tokens(engine)
        self.people = People(Vault(folder), engine)
        self.entrance = Entrance(self.people, self.registry)
        self.tellings = Tellings(self.people)
        self.identities = Identities(self.people, self.entrance, self.tokens, self.registry)
        self.read_log = VaultLog(self.people.vault, engine.clock_us, Stays(self.registry, self.people))
        self.people.parting.append(self.read_log.part)
        self.alerts = StandingAlerts(engine)
        self.watch = Watch()
        self.observer = Observer(engine, self.pipeline, self.watch)
        self.telling: Any = None
        """What tells people of alerts (app/telling.py) in a `serve`; None: nobody does."""
        self.doors: Any = None
        """The doors (app/doors.py) of a `serve` over this city; None in a command."""
        self._known: dict[int, Registry] = {}
        self._lock = threading.Lock()

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        name_en: str = "City",
        name_ko: str = "도시",
        timezone: str = "UTC",
        simulated: bool = False,
    ) -> Self:
        """Make a city folder with its settings and an empty store; one that is a city already is refused."""
        clock(timezone)
        if (folder / SETTINGS).exists():
            raise UsageError(
                "is a city already.", code="city_exists", place=str(folder), remedy="Choose another folder."
            )
        try:
            made_folder(folder)
            text = settings_text(name_en, name_ko, timezone, simulated=simulated)
            write_durably(folder / SETTINGS, text.encode())
        except OSError as error:
            raise CityError(
                f"cannot be made: {error.strerror}.",
                code="folder_unwritable",
                place=str(folder),
                remedy="Choose a folder that you may write to.",
            ) from error
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, *, now: Callable[[], int] = now_us) -> Self:
        """Open a city folder, bring it to this version, and take its settings into the registry."""
        path = folder / SETTINGS
        if not path.is_file():
            raise CityError(
                "is no city.", code="no_city", place=str(folder), remedy=f"Make one with `quintet init {folder}`."
            )
        settings = read_toml_file(path)
        in_force = rules_of(settings, path)
        timezone = settings.get("city", {}).get("timezone", "UTC")
        try:
            clock(timezone)
        except BadInput as error:
            error.place = str(path)
            raise
        sys.setswitchinterval(SWITCH_S)
        engine = Engine.open(folder, timezone)
        try:
            city = cls(folder, engine, now, in_force)
            city.take_settings_with_room(settings, path)
        except BaseException:
            engine.close()
            raise
        return city

    def take_settings_with_room(self, settings: dict[str, Any], path: Path) -> None:
        """Take city.toml; on a full disk what was taken before stays in force, and nobody is kept from reading."""
        try:
            self.take_settings(settings, path)
        except CityError as error:
            if error.code != "disk_full":
                raise

    def take_settings(self, settings: dict[str, Any], path: Path) -> None:
        """Take city.toml into the registry if it changed since it was last taken; an ingested dataset may have more.

        Raises Damaged where it changed and nobody has edited it.
        """
        with self.engine.snapshot() as snapshot:
            refuse_flipped(snapshot, path)
            before = stated(snapshot)
        now = state_of(path).split()
        if before == now:
            return
        if before[:1] != now[:1]:
            own, of_ledger = split_settings({name: table for name, table in settings.items() if name != RULES})
            after = self.registry().with_records(apply_settings(self.registry(), own))
            rows = ledger_records(of_ledger, after, self.engine.tz, path)
            if self.registry().channel_ids:  # before the first meters its places may still come with them
                with named_in(path):
                    refuse_unplaced([(one.kind, one.key, one.body) for one in rows], after.tree.bodies)
            self.pipeline.describe(own, source=SETTINGS, actor="operator")
            self.pipeline.apply_records(rows, kind="registry", source=SETTINGS, actor="operator")
        with self.engine.writing("settings", SETTINGS, "operator", self.now()) as writing:
            state(writing, path)

    def adopt_clock(self, settings: dict[str, Any], of_dataset: Path) -> ZoneInfo | None:
        """Go by the clock that a dataset's settings state, if no reading is here yet; give it where it is another.

        city.toml then says so too.
        """
        tz, path = stated_clock(settings), self.folder / SETTINGS
        if tz is None or tz.key == self.engine.tz.key:
            return None
        text = path.read_text(encoding="utf-8")
        said, count = TIMEZONE.subn(f'timezone = "{tz.key}"', text, count=1)
        if count != 1 or not self.pipeline.adopt_clock(tz, str(of_dataset)):
            return None
        write_durably(path, said.encode())
        self.take_settings_with_room(read_toml_file(path), path)
        return tz

    def settings_of(self, settings: dict[str, Any], dataset: Path) -> tuple[dict[str, Any], list[Record]]:
        """Part a dataset's settings: its tables of the registry, and the records that those of the books make.

        Raises BadInput, naming the file (`dataset`) and the row; rules of VEE are a city's own and stand in its folder.
        """
        own, of_ledger = split_settings(settings)
        with named_in(dataset):
            registry = self.registry().with_records(apply_settings(self.registry(), own))
        return own, ledger_records(of_ledger, registry, self.engine.tz, dataset)

    def registry(self, known_batch: int | None = None) -> Registry:
        """Give the registry now, or as known at a batch."""
        if known_batch is None:
            return self.pipeline.registry()
        with self._lock:
            if known_batch not in self._known:
                with self.engine.snapshot() as snapshot:
                    said = believed(read_records(snapshot, known_batch))
                self._known = {known_batch: Registry.from_records(said)}
            return self._known[known_batch]

    def access(self, scope: Scope) -> Access:
        """Give the read path for one reader."""
        return Access(self.engine, self.registry, self.pipeline.recent, scope, self.rule_set, self.reads_noted)

    @property
    def reads_noted(self) -> ReadLog | None:
        """What notes who reads of dwellings, from the first account on."""
        return self.read_log if self.people.present else None

    @property
    def rule_set(self) -> str:
        """Name the rules, thresholds and the order of estimators in force: a digest of their data."""
        return _rule_set(self.rules.fingerprint, self.pipeline.meaning().order.fingerprint)

    def close_days(self, until: date | None = None, progress: Callable[[str], None] | None = None) -> list[int]:
        """Close every day that is over (or all before `until`); give the days' numbers."""
        return close_days(self.engine, self.registry(), until, self.now(), progress)

    def judge_days(
        self, *, actor: str, days: tuple[int, int] | None = None, progress: Callable[[str], None] | None = None
    ) -> Report:
        """Judge the weeks in which anything changed: rules, outages, assigned estimates, exceptions."""
        return run(self.engine, self.pipeline, self.rules, actor=actor, days=days, progress=progress)

    def refresh_flows(self, progress: Callable[[str], None] | None = None) -> list[int]:
        """Sum closed days' hours anew after the registry changed; give the days' numbers."""
        return refresh_closed(self.engine, self.registry(), self.now(), progress)

    def doctor(self, *, scrub: bool = True) -> Examination:
        """Look for what is wrong with the city and say how to mend it."""
        found = examine(self.engine, self.registry(), scrub_all=scrub)
        found.findings.extend(of_people(self.people.vault))
        return found

    def backup(self, target: Path) -> dict[str, Any]:
        """Copy a consistent moment of the city into a new folder."""
        with self.people.vault.still():
            return create_backup(self.engine, self.folder / SETTINGS, target, beside=belongings(self.folder))

    def close(self) -> None:
        """Close the store and what is kept of people."""
        self.people.vault.close()
        self.engine.close()


@lru_cache(maxsize=16)
def _rule_set(*fingerprints: str) -> str:
    """Digest what decides: asked for with every request, and read from a file."""
    said = json.dumps([*fingerprints, read_toml("quintet.pipeline", "derive.toml")], sort_keys=True)
    return f"vee-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def settings_text(name_en: str, name_ko: str, timezone: str, *, simulated: bool) -> str:
    """Give a new city's settings as TOML."""
    lines = [
        "[city]",
        f"name_en = {json.dumps(name_en)}",
        f"name_ko = {json.dumps(name_ko, ensure_ascii=False)}",
        f'timezone = "{timezone}"',
    ]
    return "\n".join([*lines, "simulated = true"] if simulated else lines) + "\n"
