"""Passkeys (WebAuthn): a key in a person's device that signs a challenge, so that no secret can be given away."""

import hashlib
import hmac
import json
import secrets
import struct
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from quintet.terms.errors import BadInput, NotFound, Unknown
from quintet.terms.length import MINUTE_US

from .passwords import Tries
from .people import People
from .person import Passkey, Person

CHALLENGE_MIN = 5
MOST = 10
"""Passkeys of one person."""
MOST_SHOWN = 10_000
"""Answered challenges that are remembered, so that each counts once; who has not answered is never pushed out."""
NAME, END, SIGNED = 16, 8, 32
"""The parts of a challenge in bytes: random, until when it counts, and our own signature of both and its person."""
ODD = (
    WebAuthnException, ValueError, LookupError, TypeError, AttributeError, RecursionError, EOFError, struct.error,
)  # fmt: skip
"""What reading a credential raises that is none: the library, its CBOR and JSON, and Python look at what was sent."""


class Passkeys:
    """Makes and checks passkeys. A challenge is answered once, within minutes, and by the process that made it."""

    def __init__(self, people: People) -> None:
        """Keep passkeys with their persons."""
        self._people = people
        self._tries = Tries()
        self._lock = threading.Lock()
        self._key = secrets.token_bytes(32)
        self._shown: OrderedDict[bytes, None] = OrderedDict()

    def begin(self, person: Person, site: str) -> str:
        """Give the options for a new passkey as WebAuthn's JSON; `site` is the name of the host."""
        if len(person.passkeys) >= MOST:
            raise BadInput(
                f"there are {MOST} already.",
                code="too_many",
                place="passkey",
                remedy="Remove one first.",
                said={"most": MOST},
            )
        challenge = self._challenge(person.id)
        options = generate_registration_options(
            rp_id=site,
            rp_name="Quintet",
            user_id=person.id.encode(),
            user_name=person.profile.name,
            user_display_name=person.profile.display,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in person.passkeys],
        )
        return options_to_json(options)

    def keep(self, person: Person, credential: Mapping[str, Any], label: str, site: str, origin: str) -> Passkey:
        """Keep a new passkey. Raises BadInput for one that does not answer this person's challenge."""
        challenge = self._answered(credential, person.id)
        try:
            found = verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=site,
                expected_origin=origin,
                require_user_verification=True,
            )
        except ODD as error:
            raise _not_valid(error) from error
        key = Passkey(
            bytes_to_base64url(found.credential_id),
            bytes_to_base64url(found.credential_public_key),
            found.sign_count,
            label.strip()[:64] or "passkey",
            self._people.now_us(),
        )
        self._people.keep_passkey(person, key)
        self._people.tell("passkey", person.id, {}, f"person:{person.id}")
        return key

    def listed(self, person: Person) -> list[tuple[str, Passkey]]:
        """Give a person's passkeys by their short names, the newest first."""
        held = sorted(person.passkeys.values(), key=lambda one: (-one.created_us, one.id))
        return [(handle(one.id), one) for one in held]

    def end(self, person: Person, name: str) -> None:
        """Forget a passkey by its short name (`listed`); raises NotFound for one that is not this person's."""
        found = next((one for one in person.passkeys if handle(one) == name), None)
        if found is None:
            raise NotFound(
                f"there is no passkey {name!r}.",
                code="unknown_passkey",
                place="id",
                remedy="Look at the list of yours.",
            )
        self._people.drop_passkey(person, found, actor=f"person:{person.id}")

    def ask(self, site: str) -> str:
        """Give the options for signing in as WebAuthn's JSON: whoever has a passkey may answer."""
        options = generate_authentication_options(
            rp_id=site, challenge=self._challenge(""), user_verification=UserVerificationRequirement.REQUIRED
        )
        return options_to_json(options)

    def sign_in(self, credential: Mapping[str, Any], site: str, origin: str, address: str) -> Person:
        """Give whose passkey answered. Raises Unknown for one that is not valid, whatever the reason."""
        self._tries.check("", address)
        try:
            return self._signed(credential, site, origin)
        except (*ODD, BadInput) as error:
            self._tries.failed("", address)
            raise Unknown(
                "this passkey is not valid here.",
                code="passkey_not_valid",
                remedy="Sign in with your password, then add the passkey again.",
            ) from error

    def _signed(self, credential: Mapping[str, Any], site: str, origin: str) -> Person:
        challenge = self._answered(credential, "")
        person = self._people.person(base64url_to_bytes(credential["response"]["userHandle"]).decode())
        key = None if person is None else person.passkeys.get(str(credential["id"]).rstrip("="))
        if person is None or key is None or person.profile.disabled_us:
            raise KeyError("passkey")
        found = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=site,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
        if found.new_sign_count:
            used = Passkey(key.id, key.public_key, found.new_sign_count, key.label, key.created_us)
            self._people.keep_passkey(person, used)
        return person

    def _challenge(self, person: str) -> bytes:
        end_us = self._people.now_us() + CHALLENGE_MIN * MINUTE_US
        said = secrets.token_bytes(NAME) + end_us.to_bytes(END)
        return said + self._signature(said, person)

    def _signature(self, said: bytes, person: str) -> bytes:
        return hmac.digest(self._key, said + person.encode(), "sha256")

    def _answered(self, credential: Mapping[str, Any], person: str) -> bytes:
        """Give the challenge that a credential answers, which then is used up. Raises BadInput for none of ours."""
        try:
            client = base64url_to_bytes(credential["response"]["clientDataJSON"])
            challenge = base64url_to_bytes(_decoded(client)["challenge"])
        except ODD as error:
            raise _not_valid(error) from error
        said, signed = challenge[: NAME + END], challenge[NAME + END :]
        ours = len(challenge) == NAME + END + SIGNED and hmac.compare_digest(signed, self._signature(said, person))
        if not ours or int.from_bytes(said[NAME:]) <= self._people.now_us():
            raise _not_valid(None)
        with self._lock:
            known = challenge in self._shown
            self._shown[challenge] = None
            while len(self._shown) > MOST_SHOWN:
                self._shown.popitem(last=False)
        if known:
            raise _not_valid(None)
        return challenge


def handle(passkey: str) -> str:
    """Give the short name of a passkey in lists: ids of some makers are a thousand signs long."""
    return hashlib.sha256(passkey.encode()).hexdigest()[:16]


def _decoded(client: bytes) -> dict[str, Any]:
    return dict(json.loads(client))


def _not_valid(error: Exception | None) -> BadInput:
    del error
    return BadInput(
        "does not answer what was asked.",
        code="passkey_refused",
        place="passkey",
        remedy="Begin again, within minutes.",
    )
