"""What `[telling]` in quintet.toml says: the mail server, where push services write to, whom webhooks may name.

[telling]
contact = "mailto:energy@city.example" # where push services find the city's people; default: the public address
allow = ["192.168.10.0/24"]            # networks beside the internet whose addresses webhooks may name; default: none
[telling.mail]
host = "smtp.city.example"
port = 587                             # default: 587 with starttls, 465 with tls, 25 with none
tls = "starttls"                       # starttls | tls | none (a server on this machine only)
sender = "energy@city.example"
username = "quintet"
password_file = "secrets/mail"         # its first line; or QUINTET_MAIL_PASSWORD; never on the command line
tls_ca = "ca.crt"                      # whom to believe that it is the server; default: what this machine believes
"""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from quintet.alerts.mail import MailSettings, Tls, checked_address
from quintet.alerts.outbound import Network
from quintet.terms.errors import BadInput

PORTS: Mapping[Tls, int] = {"starttls": 587, "tls": 465, "none": 25}
PASSWORD = "QUINTET_MAIL_PASSWORD"
HERE = ("127.0.0.1", "::1", "localhost")
PLACE = "quintet.toml [telling]"


class _Mail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str
    sender: str
    port: int = 0
    tls: Tls = "starttls"
    username: str = ""
    password_file: str = ""
    tls_ca: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    contact: str = ""
    allow: list[str] = []
    mail: _Mail | None = None


@dataclass(frozen=True, slots=True)
class TellingSettings:
    """Checked settings; without `mail` none is sent."""

    contact: str
    allow: tuple[Network, ...]
    mail: MailSettings | None


def telling_settings(table: Mapping[str, Any], base: Path, environment: Mapping[str, str]) -> TellingSettings:
    """Check the table; raises BadInput naming the key. `base` is the folder that relative paths count from."""
    try:
        said = msgspec.convert(dict(table), _Table)
    except msgspec.ValidationError as error:
        raise _bad(f"{error}.", PLACE, "See docs/telling.md.") from error
    if said.contact and not said.contact.startswith(("mailto:", "https://")):
        raise _bad("is no address.", f"{PLACE} contact", "Write mailto:… or https://….")
    try:
        allow = tuple(ipaddress.ip_network(one) for one in said.allow)
    except ValueError as error:
        raise _bad(f"{error}.", f"{PLACE} allow", "Write networks as 192.168.10.0/24.") from error
    mail = None if said.mail is None else _mail(said.mail, base, environment)
    return TellingSettings(said.contact, allow, mail)


def _mail(said: _Mail, base: Path, environment: Mapping[str, str]) -> MailSettings:
    place = "quintet.toml [telling.mail]"
    if said.tls == "none" and said.host not in HERE:
        raise _bad("would send mail in the open.", f"{place} tls", "Use starttls or tls; none is for this machine.")
    if not 0 <= said.port <= 65535:
        raise _bad(f"port {said.port} is none.", place, "Use a number from 1 to 65535.")
    sender = checked_address(said.sender) if "." in said.sender.rpartition("@")[2] else said.sender
    if "@" not in sender or not sender.isprintable() or not sender.isascii():
        raise _bad("is no mail address.", f"{place} sender", "Write it as name@host.example.")
    password = environment.get(PASSWORD, "")
    try:
        if said.password_file and not password:
            password = (base / said.password_file).read_text(encoding="utf-8").split("\n", 1)[0].strip()
        context = ssl.create_default_context(cafile=base / said.tls_ca) if said.tls_ca else None
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(
            "the password or the certificate cannot be read.", place, "Name readable files in password_file and tls_ca."
        ) from error
    if bool(password) != bool(said.username):
        raise _bad("needs both a username and a password, or neither.", place, f"Give both; or {PASSWORD}.")
    return MailSettings(said.host, said.port or PORTS[said.tls], said.tls, sender, said.username, password, context)


def _bad(message: str, place: str, remedy: str) -> BadInput:
    return BadInput(message, code="bad_telling", place=place, remedy=remedy)
