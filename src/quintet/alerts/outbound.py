"""Calling an address that somebody else named: it must not lead to what only this machine or its network can reach.

The name is resolved once, every address that it has is checked, and the call goes to a checked address: a name that
points elsewhere a moment later (DNS rebinding) gains nothing. No redirect is followed, no proxy used, no answer read.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, urlsplit

import httpx

from quintet.terms.catalogue import check_keys, read_toml
from quintet.terms.errors import BadInput, QuintetError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LONGEST = 2048
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses as a translator to IPv6 writes them (RFC 6052)."""
LOCAL, LOOPBACK = "localhost", ipaddress.IPv4Address("127.0.0.1")
"""Names that always mean this machine (RFC 6761, section 6.3), and what they mean."""
NUMBER = re.compile("[0-9]+|0x[0-9a-f]*")
"""A last label of a host that makes all of it an IPv4 address in numbers (URL Standard, section 3.5)."""
HTTPS = 443
HTTP = 80


class Unreached(QuintetError):
    """Nobody answered; later somebody may."""

    status = 503


@dataclass(frozen=True, slots=True)
class Answered:
    """The status of an answer, and after how many seconds to come again (0: not said)."""

    status: int
    retry_after_s: int


class Outbound:
    """Calls addresses; `allowed` are networks that are not the internet's, where the operator lets people be called."""

    def __init__(self, allowed: Sequence[Network], seconds: float) -> None:
        """Call within so many seconds in all."""
        self._allowed = tuple(allowed)
        self._seconds = seconds

    def check(self, url: str) -> None:
        """Refuse an address that may not be called, as far as it says itself; raises BadInput."""
        parts = _parts(url)
        host = (parts.hostname or "").removesuffix(".")
        literal = _literal(host)
        if literal is None and (host == LOCAL or host.endswith(f".{LOCAL}")):
            literal = LOOPBACK
        elif literal is None and NUMBER.fullmatch(host.rpartition(".")[2]):
            self._checked(parts, [_numbered(host)])
            raise _no_address()
        if literal is not None:
            self._checked(parts, [literal])
        elif parts.scheme != "https":
            raise _plain()

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answered:
        """Send a body. Raises BadInput for an address that may not be called, Unreached where nobody answers."""
        parts = _parts(url)
        address = self._checked(parts, _resolved(parts))[0]
        try:
            return asyncio.run(self._post(parts, address, body, headers))
        except (httpx.HTTPError, TimeoutError, OSError, ssl.SSLError) as error:
            raise Unreached(
                f"does not answer ({type(error).__name__}).", code="unreachable", place=parts.hostname or ""
            ) from error

    async def _post(self, parts: SplitResult, address: Address, body: bytes, headers: dict[str, str]) -> Answered:
        host = f"[{address}]" if address.version == 6 else str(address)
        port = parts.port or (HTTPS if parts.scheme == "https" else HTTP)
        url = f"{parts.scheme}://{host}:{port}{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        sent = {**headers, "Host": parts.netloc, "User-Agent": "quintet"}
        extensions = {"sni_hostname": parts.hostname}
        async with asyncio.timeout(self._seconds):
            async with httpx.AsyncClient(verify=_trust(), trust_env=False, timeout=self._seconds) as client:
                request = client.build_request("POST", url, content=body, headers=sent, extensions=extensions)
                answer = await client.send(request, stream=True)
                await answer.aclose()
        after = answer.headers.get("retry-after", "")
        return Answered(answer.status_code, int(after) if after.isdecimal() and len(after) < 7 else 0)

    def _checked(self, parts: SplitResult, found: Sequence[Address]) -> Sequence[Address]:
        """Refuse a host of which any address is not to be called, and plain http beyond this machine."""
        for address in found:
            real = _embedded(address)
            allowed = any(real in network for network in self._allowed if network.version == real.version)
            closed = not real.is_global or real.is_multicast or _special(address) or _special(real)
            if not allowed and closed:
                raise BadInput(
                    "is an address of a private network.",
                    code="forbidden_url",
                    place=parts.hostname or "",
                    remedy="Name one that the internet can reach, or ask the city's operator to allow this network.",
                )
            if parts.scheme != "https" and not real.is_loopback:
                raise _plain()
        return found


def host_of(url: str) -> str:
    """Give the host of an address."""
    return urlsplit(url).hostname or ""


def origin_of(url: str) -> str:
    """Give scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _parts(url: str) -> SplitResult:
    """Take an address apart; raises BadInput for one that is none, or names a user."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("https", "http") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        known, parts = False, urlsplit("")
    fits = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST
    if not known or not fits or parts.username is not None or parts.fragment:
        raise _no_address()
    return parts


def _no_address() -> BadInput:
    return BadInput("is no address that can be called.", code="bad_url", place="url", remedy="Write https://host/path.")


def _plain() -> BadInput:
    return BadInput("is not encrypted.", code="bad_url", place="url", remedy="Write https://host/path.")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _numbered(host: str) -> Address:
    """Give the address that a host of numbers means to a resolver: 2130706433, 0x7f.1; raises BadInput for none."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        raise _no_address() from None


def _resolved(parts: SplitResult) -> list[Address]:
    """Give every address that a host has. Raises Unreached where it has none."""
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or HTTPS, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreached("has no address.", code="unreachable", place=parts.hostname or "") from error
    return [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]


def _embedded(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _special(address: Address) -> bool:
    return any(address in network for network in special_networks() if network.version == address.version)


@cache
def special_networks() -> tuple[Network, ...]:
    """Give the networks that are not the internet's (networks.toml)."""
    table = read_toml("quintet.alerts", "networks.toml")
    check_keys(table, required={"network"}, optional=set(), place="networks.toml")
    for row in table["network"]:
        check_keys(row, required={"net", "source"}, optional=set(), place="networks.toml")
    return tuple(ipaddress.ip_network(row["net"]) for row in table["network"])


@cache
def _trust() -> ssl.SSLContext:
    """Whom to believe that a host is itself: the authorities that this machine knows."""
    return ssl.create_default_context()
