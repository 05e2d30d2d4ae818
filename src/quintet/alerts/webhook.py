"""Webhooks: JSON to an address of the person's own programs, signed so that they can tell who sent it, and when.

Signed as Standard Webhooks 1.0.0 says: HMAC-SHA256 of `id.timestamp.body` under the secret behind `whsec_`, in base64.
The time is that of this attempt: who checks it refuses what is older than some minutes, and a message may have waited
for the end of quiet hours, or for its receiver.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable

import msgspec

from quintet.access.telling import Notice, Target
from quintet.terms.errors import BadInput
from quintet.terms.period import from_us

from .channel import SENT, Outcome, Parcel
from .outbound import Outbound, Unreached

PREFIX = "whsec_"
SECRET_BYTES = 32
GONE = 410


def new_secret() -> str:
    """Make a secret for a webhook."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, name: str, timestamp: int, body: bytes) -> str:
    """Sign a message: what stands in the header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    proof = hmac.new(key, f"{name}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(proof).decode()}"


class Webhook:
    """Calls people's own addresses."""

    def __init__(self, outbound: Outbound, now_s: Callable[[], int]) -> None:
        """Call through this; `now_s` gives the present moment, in seconds since 1970."""
        self._outbound = outbound
        self._now_s = now_s

    def send(self, target: Target, parcel: Parcel) -> Outcome:
        """Call an address; anything but an answer 2xx is tried again, 410 ends it."""
        body = body_of(target, parcel)
        stamp = self._now_s()
        headers = {
            "Content-Type": "application/json",
            "webhook-id": parcel.id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(target.secret, parcel.id, stamp, body),
        }
        try:
            answered = self._outbound.post(target.address, body, headers)
        except BadInput:
            return Outcome("refused", "forbidden_address")
        except Unreached:
            return Outcome("later", "unreachable")
        if 200 <= answered.status < 300:
            return SENT
        if answered.status == GONE:
            return Outcome("gone", "gone")
        return Outcome("later", "refused", answered.retry_after_s)


def body_of(target: Target, parcel: Parcel) -> bytes:
    """Write what is sent: the same bytes for the same parcel."""
    said = {
        "type": "code" if any(one.kind == "code" for one in parcel.notices) else "alerts",
        "id": parcel.id,
        "at": from_us(parcel.at_us),
        "city": parcel.city,
        "contact": target.contact or None,
        "stop": parcel.stop or None,
        "alerts": [_told(notice) for notice in parcel.notices],
    }
    return msgspec.json.encode(said)


def _told(notice: Notice) -> dict[str, object]:
    return {
        "id": notice.alert,
        "place": notice.place,
        "kind": notice.kind,
        "utility": notice.utility or None,
        "since": from_us(notice.since_us),
        "title": notice.title,
        "text": notice.text,
        "action": notice.action,
        "url": notice.url,
        "urgent": notice.urgent,
    }
