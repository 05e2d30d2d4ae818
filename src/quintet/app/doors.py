"""The doors of a served city: what is sent to it comes in here, and what is mounted beside its pages is named here."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from quintet.access import EVERYTHING
from quintet.access.feed import Feed
from quintet.ingest.http_books import BooksDoor
from quintet.ingest.http_door import Behind, HttpDoor, Registered
from quintet.ingest.http_edits import EditsDoor
from quintet.ingest.http_events import EventsDoor
from quintet.ingest.http_limits import HttpLimits
from quintet.pipeline.bounds import Limits
from quintet.pipeline.bounds import limits as shipped
from quintet.pipeline.grouping import Committer
from quintet.protocols.payloads.payload import Limits as PayloadLimits
from quintet.registry import from_dataset
from quintet.registry.alerts import Stepped
from quintet.store.room import disk_full, left_bytes
from quintet.terms.errors import CityError, QuintetError
from quintet.views.accounts import Accounts
from quintet.views.live import Live
from quintet.views.open_data import OpenQuestions
from quintet.web.accounts import AccountsPart
from quintet.web.home_alerts import AlertsPart
from quintet.web.home_telling import TellingPart
from quintet.web.live import LivePart
from quintet.web.live_limits import Limits as LiveLimits
from quintet.web.manager import BuildingPart
from quintet.web.oidc import OidcPart
from quintet.web.open_data import OpenDataPart
from quintet.web.own_data import OwnDataPart
from quintet.web.ready import ReadyPart
from quintet.web.site import Part

from .alerting import Alerting
from .books_behind import books_behind
from .city import City
from .doorkeeper import CityDoorkeeper
from .edits_behind import edits_behind
from .events_behind import events_behind
from .green_button import written
from .home_assistant_run import HomeAssistant
from .intake import Intake, intake_socket
from .logs import Logbook, opened
from .manager_behind import CityNotebook
from .metrics import MetricsPart
from .metrics_doors import http_door, own_doors
from .metrics_watch import Door
from .mqtt_children import MqttChildren
from .mqtt_settings import mqtt_settings
from .oidc import CityOidc, oidc_settings
from .reports_http import ReportsPart
from .serving_limits import serving_limits
from .settings import read_settings
from .telling import CityTelling
from .telling_settings import telling_settings
from .turns import Turns


class Doors:
    """The committer, and the doors that hand over to it; `start` before the site answers, `stop` after it has ended."""

    def __init__(
        self,
        city: City,
        turns: Turns,
        *,
        limits: Limits | None = None,
        http_limits: HttpLimits | None = None,
        bounds: PayloadLimits | None = None,
        listeners: int | None = None,
        public: str = "",
        local_operator: bool = False,
    ) -> None:
        """Build the doors of an open city; what registers meters takes its turn with the commands that write.

        `listeners` is how many may follow live, where file handles allow fewer than the limits do; `public` and
        `local_operator` as of the doorkeeper.
        """
        self.city = city
        self._turns = turns
        self._limits = limits or shipped()
        self.stuck_s: float = serving_limits().stuck_s
        self._progress = (0, time.monotonic())
        self.committer = Committer(city.pipeline, self._limits, city.now)
        self._submit = city.watch.timed(self.committer.submit)
        self.http = HttpDoor(Behind(city.tokens.admit, self._submit, self.register), http_limits, bounds)
        self.feed = Feed(city.engine, city.registry, city.pipeline.recent, log=lambda: city.reads_noted)
        city.pipeline.listeners.append(self.feed.take)
        city.alerts.listeners.append(self._alerts_changed)
        bound = LiveLimits.shipped()
        bound = bound if listeners is None else replace(bound, listeners=min(listeners, bound.listeners))
        self.live = LivePart(Live(self.feed, EVERYTHING), bound)
        self.edits = EditsDoor(edits_behind(city, turns, self.http.limits.list_wait_s), http_limits)
        self.events = EventsDoor(events_behind(city, turns, self.http.limits.list_wait_s), http_limits)
        self.books = BooksDoor(books_behind(city, turns, self.http.limits.list_wait_s), http_limits)
        ready = ReadyPart(self.trouble)
        self.keeper = CityDoorkeeper(city, self.feed, public=public, local_operator=local_operator)
        people = Accounts(city.identities, city.read_log)
        accounts = AccountsPart(people, public)
        self.parts: Sequence[Part] = (
            self.http,
            self.edits,
            self.events,
            self.books,
            OpenDataPart(OpenQuestions(city.access(EVERYTHING))),
            ReportsPart(city),
            self.live,
            accounts,
            OwnDataPart(city.now, lambda feed: written(city, feed)),
            BuildingPart(CityNotebook(city, turns, self.http.limits.list_wait_s), city.identities.called),
            ready,
            MetricsPart(city.observer),
        )
        settings = read_settings(os.environ, Path.cwd())
        provider = oidc_settings(settings.oidc, settings.base)
        if provider is not None:
            self.parts = (*self.parts, OidcPart(CityOidc(provider, people, city.now), public))
            self.keeper.staff_door = True
        wanted = telling_settings(settings.telling, settings.base, os.environ)
        self.telling = CityTelling(city, wanted, lambda: self.keeper.address)
        self.parts = (*self.parts, TellingPart(self.telling.home))
        city.telling = self.telling
        self.alerting = Alerting(city)
        self.parts = (*self.parts, AlertsPart(self.alerting))
        city.watch.stats = self.committer.stats
        city.watch.listeners = lambda: self.live.hub.listeners
        city.watch.doors.append(self._states)
        self._logbook: Logbook | None = None
        self.intake: Intake | None = None
        """Where doors in processes of their own deliver, while the doors are open."""
        self.mqtt: MqttChildren | None = None
        """The MQTT doors that this process starts; None where nobody asked for any."""
        self.homes: HomeAssistant | None = None
        """What tells dwellings to Home Assistant, where the settings want it."""
        city.doors = self

    def start(self) -> None:
        """Begin to commit, then to take what doors of their own deliver."""
        self.committer.start()
        self.intake = Intake(intake_socket(self.city.folder), self._submit)
        self.intake.start()
        if self.mqtt is not None:
            self.mqtt.start()
            wanted = mqtt_settings(read_settings(os.environ, Path.cwd()), self.mqtt.broker, os.environ)
            if wanted.homes:
                self.homes = HomeAssistant(self.city, self.keeper, Live(self.feed, EVERYTHING), wanted)
                self.homes.begin()
        self._logbook = Logbook(self.city.observer, opened(read_settings(os.environ, Path.cwd()).log))
        self._logbook.begin()
        self.telling.begin()
        self.alerting.begin()

    def _alerts_changed(self, stepped: Stepped) -> None:
        """Tell who listens that alerts changed; what was committed before, and waits to be told, goes first."""
        self.city.pipeline.tell()
        self.feed.take_alerts(stepped)

    def see_off(self) -> None:
        """Say good-bye to listeners: the site is about to end. May be called from any thread."""
        self.live.stop()

    def stop(self, patience_s: float) -> None:
        """Finish what was taken in: doors of their own end first, the committer last."""
        self.alerting.end()
        self.telling.end()
        if self.homes is not None:
            self.homes.end()
        if self.mqtt is not None:
            self.mqtt.stop()
        if self.intake is not None:
            self.intake.stop()
        self.committer.stop(patience_s)
        if self._logbook is not None:
            self._logbook.end()

    def _states(self) -> list[Door]:
        """Say how each door is."""
        own = self.intake.doors() if self.intake is not None else []
        started = self.mqtt.states() if self.mqtt is not None else []
        return [http_door(self.http), *own_doors(own, self.city.now(), started)]

    def register(self, meters: pa.Table, source: str) -> Registered:
        """Take a list of meters into the registry, durably; rows that cannot be taken are given back."""
        with self._turns.mine(self.http.limits.list_wait_s):
            registry = self.city.registry()
            found = from_dataset(registry, meters, source=source)
            self.city.pipeline.apply_records(
                found.records, kind="registry", source=source, actor="http", problems=found.problems
            )
            new = len(self.city.registry().channel_ids) - len(registry.channel_ids)
        return Registered(new, len(found.records), found.problems)

    def trouble(self) -> QuintetError | None:
        """Say why what is sent now would not be taken; None when it would."""
        if self._stuck():
            return CityError(
                f"nothing was committed for {self.stuck_s} s, and deliveries wait.",
                code="committer_stuck",
                remedy="Look at the disk, then start `serve` again; what was acknowledged is stored.",
            )
        if left_bytes(self.city.folder) <= 0:
            return disk_full(self.city.folder)
        if self.http.room.full or self.committer.stats.waiting_rows >= self._limits.queue_rows:
            return CityError(
                "more waits than is taken.", code="overloaded", remedy="Send again after the seconds of Retry-After."
            )
        return None

    def _stuck(self) -> bool:
        """Tell whether deliveries have waited for `stuck_s` without any commit, good or failed."""
        stats, now_s = self.committer.stats, time.monotonic()
        done = stats.commits + stats.failures
        known, since_s = self._progress
        if done != known or not stats.waiting_deliveries:
            self._progress = (done, now_s)
            return False
        return now_s - since_s > self.stuck_s
