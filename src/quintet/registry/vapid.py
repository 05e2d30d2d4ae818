"""The city's own key for web push (VAPID, RFC 8292): made once, kept beside the vault, never in a backup.

Browsers bind a subscription to this key. Without it a city makes another, and who subscribed has to do so again.
"""

import base64
import os
import threading

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from quintet.store.durable import made_folder, sync_folder
from quintet.store.vault import Vault
from quintet.terms.errors import CityError

FILE = "vapid.pem"


class Vapid:
    """The key of one city; made when it is first asked for."""

    def __init__(self, vault: Vault) -> None:
        """Keep it beside a vault."""
        self._folder = vault.folder
        self._lock = threading.Lock()
        self._key: ec.EllipticCurvePrivateKey | None = None

    def key(self) -> ec.EllipticCurvePrivateKey:
        """Give the private key. Raises CityError for a file that holds none."""
        with self._lock:
            if self._key is None:
                path = self._folder / FILE
                if not path.is_file():
                    self._made()
                self._key = self._opened(path.read_bytes())
            return self._key

    @property
    def public(self) -> str:
        """The public key as browsers take it: base64url of the uncompressed point."""
        return base64url(self.key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    def pem(self) -> bytes:
        """Give the private key as PEM (PKCS 8)."""
        return self.key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def _made(self) -> None:
        """Make the key durably, for nobody but the owner; whole under its name or not there."""
        made_folder(self._folder)
        self._folder.chmod(0o700)
        content = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        part = self._folder / f"{FILE}.part"
        descriptor = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        part.replace(self._folder / FILE)
        sync_folder(self._folder)

    def _opened(self, content: bytes) -> ec.EllipticCurvePrivateKey:
        try:
            key = load_pem_private_key(content, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise CityError(
                "holds no key of the curve P-256.",
                code="bad_vapid_key",
                place=str(self._folder / FILE),
                remedy="Put it back, or delete it: browsers then have to subscribe again.",
            )
        return key


def base64url(content: bytes) -> str:
    """Write bytes as base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """Read base64url with or without padding; raises ValueError."""
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
