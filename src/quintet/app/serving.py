"""`serve`: one process that owns the city, answers other commands on its socket and people over HTTP."""

import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from quintet.terms.errors import CityError, UsageError
from quintet.web.live_limits import Limits

from .handles import raised
from .lazy import load
from .lines import bounded
from .mqtt_children import MqttChildren
from .nightly import Nightly
from .opening import Opening
from .owner import Holder, Owner, claim, holder
from .pauses import search_seldom, set_aside, take_back, turns_of
from .run import PATIENCE_S, RETRY_S, Desk, finish, no_answer
from .serving_limits import serving_limits

LOOPBACK = ("127.0.0.1", "localhost")
STOP_S = 30.0
"""On SIGTERM work that other commands asked for may take this long; then it is ended at its next step."""
OPEN_STREAMS_S = 3


def serve(folder: Path, host: str, port: int, mqtt: MqttChildren | None = None, public: str = "") -> int:
    """Serve a city until SIGTERM or Ctrl-C; give the exit code.

    `public` is the address by which people elsewhere reach it, through a proxy that speaks TLS.

    Raises UsageError for a host that others can reach without accounts and a public address, CityError when another
    process serves or the port is taken.
    """
    check_public(public)
    check_host(host, public)
    owner = become_owner(folder)
    desk = Desk(folder)
    try:
        if public and not desk.city().people.present:
            raise no_accounts("--public")
        return serve_desk(owner, desk, port, mqtt=mqtt, host=host, public=public)
    finally:
        finish(owner, desk, STOP_S)


def check_host(host: str, public: str = "") -> None:
    """Refuse to listen where other machines could connect, unless people come in by an address with TLS."""
    if host not in LOOPBACK and not public:
        raise UsageError(
            f"Quintet does not serve on {host} like that: passwords and readings would travel in the open.",
            code="host_refused",
            remedy="Put a proxy with TLS before it and name its address with --public https://…; else serve on "
            "127.0.0.1 and use an SSH tunnel.",
        )


def check_public(public: str) -> None:
    """Refuse a public address that is no origin with TLS."""
    parts = urlsplit(public)
    if public and (parts.scheme != "https" or not parts.hostname or parts.path or parts.query or parts.fragment):
        raise UsageError(
            f"{public!r} is no address with TLS.",
            code="bad_public",
            place="--public",
            remedy="Write it as https://city.example, without a path.",
        )


def no_accounts(place: str) -> UsageError:
    """Say that nobody could sign in."""
    return UsageError(
        "there are no accounts, so anyone who reaches it could read every household.",
        code="no_accounts",
        place=place,
        remedy="Make the first with `quintet user add NAME --role operator --place city`.",
    )


def become_owner(folder: Path) -> Owner:
    """Claim the city for a `serve`; waits for a command that is at work, but not for another `serve`."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        owner = claim(folder, "serve")
        if owner is not None:
            return owner
        other = holder(folder)
        if other.card is not None and other.card.role == "serve":
            raise _served(folder, other)
        if time.monotonic() > deadline:
            raise _at_work(folder, other) if other.card else no_answer(folder, other)
        time.sleep(RETRY_S)


def serve_desk(
    owner: Owner,
    desk: Desk,
    port: int,
    *,
    ready: Callable[[str], None] | None = None,
    mqtt: MqttChildren | None = None,
    host: str = "127.0.0.1",
    public: str = "",
    local_operator: bool = False,
) -> int:
    """Serve the city of an owner until a signal ends it, closing days that are over meanwhile.

    `ready` gets the address once it answers. `local_operator`: who asks on this machine without signing in is the
    city's operator, although there are accounts.
    """
    limits = serving_limits()
    handles = raised(Limits.shipped().listeners, limits)
    door = _bind(host, port)
    nightly = Nightly(desk)
    with door:
        address = f"http://127.0.0.1:{door.getsockname()[1]}/"
        owner.listen(desk.handle, address=address)
        with Opening(door):
            doors = load("doors")(
                desk.city(), desk.turns, listeners=handles.listeners, public=public, local_operator=local_operator
            )
            doors.keeper.address = public or address.rstrip("/")
            doors.mqtt = mqtt
            beside = [load(name)(desk.city(), doors.keeper) for name in ("warming", "freshening")]
            site = load("site")(desk.city(), doors.parts, doors.keeper)
        config = uvicorn.Config(
            site,
            http=bounded(handles.connections, limits),
            log_config=None,  # what it says goes into the log of this city (overheard.py)
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=OPEN_STREAMS_S,
            server_header=False,
            proxy_headers=bool(public),  # a proxy on this machine says who asks, so that tries are counted by him
        )

        turns_of(limits.switch_us)
        search_seldom(limits.full_search)
        set_aside()

        def answering() -> None:
            (ready or _print_address)(address)
            for one in beside:
                one.begin()
            nightly.begin()  # not before: days that wait to be closed would keep senders waiting

        server = _Server(config, answering, doors.see_off)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.end())
        try:
            doors.start()
            server.run(sockets=[door])
        finally:
            # nobody is let in any more: what was taken in is finished, and the day that is being closed
            try:
                doors.stop(STOP_S)
            finally:
                for one in beside:
                    one.end()
                nightly.end()
                take_back()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Says when it answers and when it stops; a signal that comes early is not lost."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], leaving: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready, self._leaving = ready, leaving

    def end(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._leaving()
        await super().shutdown(sockets)


def _print_address(address: str) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()


def _bind(host: str, port: int) -> socket.socket:
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise CityError(
            f"port {port} cannot be used ({error.strerror}).",
            code="port_taken",
            remedy="Choose another with --port; 0 takes any free one.",
        ) from error
    return door


def _served(folder: Path, other: Holder) -> CityError:
    address = other.card.address if other.card else ""
    return CityError(
        f"is already served by process {other.pid} at {address}.",
        code="already_served",
        place=str(folder),
        remedy=f"Use that address, or stop it with `kill {other.pid}`.",
    )


def _at_work(folder: Path, other: Holder) -> CityError:
    return CityError(
        f"process {other.pid} is at work on this city.",
        code="city_busy",
        place=str(folder),
        remedy="Start `serve` when it has ended.",
    )
