"""Passkeys (WebAuthn): a key in a person's device that signs a challenge, so that no secret can be given away."""

import json
import secrets
import threading
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

from quintet.terms.errors import BadInput, Unknown

from .account_limits import MINUTE_US
from .passwords import Tries
from .people import People
from .person import Passkey, Person

CHALLENGE_MIN = 5
MOST = 10
"""Passkeys of one person."""
MOST_OPEN = 10_000
"""Challenges that wait at once; the oldest give way."""


class Passkeys:
    """Makes and checks passkeys. A challenge is answered once, within minutes; it is kept in memory only."""

    def __init__(self, people: People) -> None:
        """Keep passkeys with their persons."""
        self._people = people
        self._tries = Tries()
        self._lock = threading.Lock()
        self._open: dict[bytes, tuple[str, int]] = {}

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
        except (WebAuthnException, ValueError, KeyError) as error:
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
        except (WebAuthnException, ValueError, KeyError, TypeError, BadInput) as error:
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
        challenge = secrets.token_bytes(32)
        with self._lock:
            while len(self._open) >= MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            self._open[challenge] = (person, self._people.now_us() + CHALLENGE_MIN * MINUTE_US)
        return challenge

    def _answered(self, credential: Mapping[str, Any], person: str) -> bytes:
        """Give the challenge that a credential answers, which then is used up. Raises BadInput for none of ours."""
        try:
            client = base64url_to_bytes(credential["response"]["clientDataJSON"])
            challenge = base64url_to_bytes(_decoded(client)["challenge"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _not_valid(error) from error
        with self._lock:
            held = self._open.pop(challenge, None)
        if held is None or held[0] != person or held[1] <= self._people.now_us():
            raise _not_valid(None)
        return challenge


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
