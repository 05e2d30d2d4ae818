"""Mail by SMTP: plain text, to one person at a time, over TLS unless the server is on this machine."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Literal

from quintet.access.telling import CODE, Target
from quintet.terms.errors import BadInput
from quintet.terms.period import from_us
from quintet.terms.telling_words import words

from .channel import SENT, Outcome, Parcel
from .telling_limits import telling_limits

Tls = Literal["starttls", "tls", "none"]
LONGEST = 254
LOCAL_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-")
HOST_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The server that takes our mail, who we are to it, and in whose name it goes out."""

    host: str
    port: int
    tls: Tls
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = None


class Mail:
    """Sends mail through one server: a connection a message."""

    def __init__(self, settings: MailSettings) -> None:
        """Send with these settings."""
        self._settings = settings

    def send(self, target: Target, parcel: Parcel) -> Outcome:
        """Send to an address. What the server refuses for good is given up, all else tried again."""
        settings, accepted = self._settings, False
        try:
            with self._connected() as server:
                self._sign_in(server)
                server.send_message(written(settings.sender, target, parcel), settings.sender, [target.address])
                accepted = True
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            return Outcome("refused" if code >= 500 else "later", "refused")
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused, smtplib.SMTPNotSupportedError):
            return Outcome("later", "mail_server")  # ours to mend, not the person's
        except smtplib.SMTPDataError as error:
            return Outcome("refused" if error.smtp_code >= 500 else "later", "refused")
        except (smtplib.SMTPException, OSError):
            return SENT if accepted else Outcome("later", "unreachable")  # it may fail to part after it took the mail
        return SENT

    def check(self) -> Outcome:
        """Tell whether the server answers and takes us; nothing is sent."""
        try:
            with self._connected() as server:
                self._sign_in(server)
                server.noop()
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError):
            return Outcome("later", "mail_server")
        except (smtplib.SMTPException, OSError):
            return Outcome("later", "unreachable")
        return SENT

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if self._settings.username:
            server.login(self._settings.username, self._settings.password)

    def _connected(self) -> smtplib.SMTP:
        """Connect, and be sure of the server before anything is said to it."""
        settings, seconds, name = self._settings, telling_limits().send_seconds, _host(self._settings.sender)
        trust = settings.context or ssl.create_default_context()
        if settings.tls == "tls":
            return smtplib.SMTP_SSL(settings.host, settings.port, name, timeout=seconds, context=trust)
        server = smtplib.SMTP(settings.host, settings.port, name, timeout=seconds)
        if settings.tls == "starttls":
            try:
                server.starttls(context=trust)
            except BaseException:
                server.close()
                raise
        return server


def written(sender: str, target: Target, parcel: Parcel) -> EmailMessage:
    """Write a parcel as a message: the same one each time that it is sent (RFC 5322, 3834)."""
    said = words(parcel.language)
    out = EmailMessage(SMTP)
    out["From"] = sender
    out["To"] = target.address
    out["Subject"] = " ".join(parcel.title.split())
    out["Date"] = format_datetime(from_us(parcel.at_us))
    out["Message-ID"] = f"<{parcel.id}@{_host(sender)}>"
    out["Auto-Submitted"] = "auto-generated"
    if parcel.stop:
        out["List-Unsubscribe"] = f"<{parcel.stop}>"
    parts: list[str] = []
    for notice in parcel.notices:
        parts += [notice.title] if len(parcel.notices) > 1 else []
        parts += [part for part in (notice.text, notice.action) if part] + [""]
    if parcel.home and not target.contact and not any(one.kind == CODE for one in parcel.notices):
        parts.append(said["mail.page"].format(url=parcel.home))
    parts.append(said["mail.from"].format(city=parcel.city))
    if parcel.stop:
        parts.append(said["mail.stop"].format(url=parcel.stop))
    out.set_content("\n".join(parts) + "\n")
    return out


def checked_address(text: str) -> str:
    """Give a mail address in the form that every server takes; raises BadInput for any other."""
    local, _, host = text.strip().rpartition("@")
    dots = all(part for part in local.split(".")) and all(part for part in host.split("."))
    fits = local and "." in host and len(text) <= LONGEST and set(local) <= LOCAL_SIGNS and set(host) <= HOST_SIGNS
    if not fits or not dots or host.startswith("-") or len(local) > 64:
        raise BadInput("is no mail address.", code="bad_address", place="mail", remedy="Write it as name@host.example.")
    return f"{local}@{host.lower()}"


def _host(sender: str) -> str:
    """Give the host of the sender's address, which may stand in angle brackets."""
    return sender.rpartition("@")[2].rstrip("> ") or "localhost"
