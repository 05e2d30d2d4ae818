"""A passkey in software (WebAuthn, ES256): what a browser and a device make of the options of the site."""

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url as text

PRESENT, VERIFIED, HOLDS = 1, 4, 64
"""Flags of what the device says: somebody is there, he is who he is, a key comes along."""


@dataclass
class Device:
    """One device with one key; what it says can be made wrong."""

    origin: str
    site: str
    flags: int = PRESENT | VERIFIED
    count: int = 0
    user: str = ""
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def made(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer the options for a new passkey."""
        self.user = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
        more = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        said = {"fmt": "none", "attStmt": {}, "authData": self._data(HOLDS) + more}
        client = self._client("webauthn.create", options["challenge"])
        return self._shown({"clientDataJSON": text(client), "attestationObject": text(cbor2.dumps(said))})

    def signed(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer the options for signing in."""
        data, client = self._data(), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        said = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return self._shown({**{name: text(one) for name, one in said.items()}, "userHandle": self.user})

    def _data(self, more: int = 0) -> bytes:
        return hashlib.sha256(self.site.encode()).digest() + struct.pack(">BI", self.flags | more, self.count)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _shown(self, response: dict[str, Any]) -> dict[str, Any]:
        name = text(self.id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
