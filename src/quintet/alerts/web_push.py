"""Web push: a message that only the person's own browser can open (RFC 8291), from a city that is known (RFC 8292).

The push service of the browser's maker sees when a message comes and how long it is, not what it says.
"""

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from quintet.access.telling import Target, Vapid, from_base64url
from quintet.terms.errors import BadInput

from .channel import SENT, Outcome, Parcel
from .outbound import Outbound, Unreached, origin_of
from .telling_limits import telling_limits

RECORD = 4096
LAST = b"\x02"
"""The delimiter of the last record (RFC 8188, section 2)."""
AUTH_BYTES = 16
CURVE = ec.SECP256R1()
HOUR_S = 3600
GONE = (404, 410)
NEVER = (400, 401, 403, 413)
"""Statuses after which the same message will not be taken later either."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What one message is made with: a key for this message alone, and a salt."""

    key: ec.EllipticCurvePrivateKey
    salt: bytes

    @classmethod
    def fresh(cls) -> "Sending":
        """Make both by chance."""
        return cls(ec.generate_private_key(CURVE), os.urandom(16))


def sealed(plain: bytes, p256dh: str, auth: str, sending: Sending) -> bytes:
    """Encrypt a message for a subscription: RFC 8291, section 3.4, in one record of RFC 8188 (aes128gcm)."""
    theirs, secret = _subscription(p256dh, auth)
    own = sending.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    point = theirs.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = sending.key.exchange(ec.ECDH(), theirs)
    keying = _derived(shared, secret, b"WebPush: info\0" + point + own, 32)
    key = _derived(keying, sending.salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(keying, sending.salt, b"Content-Encoding: nonce\0", 12)
    header = sending.salt + RECORD.to_bytes(4, "big") + bytes([len(own)]) + own
    return header + AESGCM(key).encrypt(nonce, plain + LAST, None)


def check_subscription(p256dh: str, auth: str) -> None:
    """Refuse keys that are none; raises BadInput."""
    try:
        _subscription(p256dh, auth)
    except ValueError as error:
        raise BadInput(
            "are no keys of a subscription.", code="bad_keys", place="keys", remedy="Send subscription.toJSON()."
        ) from error


class WebPush:
    """Sends to browsers, through the push services that they named."""

    def __init__(self, outbound: Outbound, vapid: Vapid, contact: Callable[[], str], now_s: Callable[[], int]) -> None:
        """Prove the city by its key; `contact` gives a mailto: or https: address of its people."""
        self._outbound = outbound
        self._vapid = vapid
        self._contact = contact
        self._now_s = now_s

    def send(self, target: Target, parcel: Parcel) -> Outcome:
        """Send to a subscription; one that its push service does not know any more is gone."""
        if target.made_for != self._vapid.public:  # bound to a key that this city has no more
            return Outcome("gone", "gone")
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(telling_limits().push_ttl_s),
            "Urgency": "high" if parcel.urgent else "normal",
            "Topic": tag_of(parcel),
            "Authorization": f"vapid t={self._proof(target.address)}, k={self._vapid.public}",
        }
        try:
            body = sealed(payload(parcel), target.p256dh, target.auth, Sending.fresh())
            answered = self._outbound.post(target.address, body, headers)
        except (BadInput, ValueError):
            return Outcome("refused", "forbidden_address")
        except Unreached:
            return Outcome("later", "unreachable")
        if 200 <= answered.status < 300:
            return SENT
        if answered.status in GONE:
            return Outcome("gone", "gone")
        end = "refused" if answered.status in NEVER else "later"
        return Outcome(end, "refused", answered.retry_after_s)

    def _proof(self, endpoint: str) -> str:
        """Sign for one push service (RFC 8292, section 2)."""
        claims: dict[str, object] = {
            "aud": origin_of(endpoint),
            "exp": self._now_s() + telling_limits().vapid_hours * HOUR_S,
        }
        contact = self._contact()
        if contact:
            claims["sub"] = contact
        return jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, ECKey.import_key(self._vapid.pem()))


def payload(parcel: Parcel) -> bytes:
    """Write what the page's worker shows: title, body, where a tap leads, and by what it replaces an older one."""
    first, most = parcel.notices[0], telling_limits().push_most_bytes
    body = "\n".join(f"{one.title}: {one.text}" for one in parcel.notices)
    if first is parcel.notices[-1]:
        body = "\n".join(part for part in (first.text, first.action) if part)
    while True:
        said = msgspec.json.encode({"title": parcel.title, "body": body, "url": first.url, "tag": tag_of(parcel)})
        if len(said) <= most:
            return said
        body = f"{body[: len(body) * 9 // 10 - 1]}…"


def tag_of(parcel: Parcel) -> str:
    """Name a parcel in 32 signs, as push services want (RFC 8030, section 5.4); sent again, it replaces itself."""
    return base64.urlsafe_b64encode(sha256(parcel.id.encode()).digest()).decode()[:32]


def _subscription(p256dh: str, auth: str) -> tuple[ec.EllipticCurvePublicKey, bytes]:
    """Read a browser's public key and its secret; raises ValueError."""
    secret = from_base64url(auth)
    if len(secret) != AUTH_BYTES:
        raise ValueError("the secret has another length")
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_base64url(p256dh)), secret


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)
