"""Staff sign in with the city's own identity provider (OpenID Connect): code flow with PKCE, state, nonce.

    [oidc]                              # in quintet.toml
    issuer = "https://id.city.example"
    client_id = "quintet"
    secret_file = "oidc.secret"         # relative to the file; one line
    claim = "preferred_username"        # by what users are known here

The provider says who somebody is; what he may see is granted here. Who is no user here, or a resident only, gets
nothing.
"""

import base64
import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from quintet.terms.catalogue import check_keys
from quintet.terms.errors import BadInput, CityError, Unknown
from quintet.views.accounts import Accounts, LetIn, Vouched

CALLBACK = "/oidc/callback"
SCOPE = "openid profile email"
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
KEY_KINDS = ("RSA", "EC", "OKP")
WAIT_S = 10.0
WAITING_US = 10 * 60 * 1_000_000
"""So long somebody may take at the provider."""
MOST_SHOWN = 10_000
"""So many answers are remembered as shown; the provider takes each code once in any case."""
LONGEST_AFTER = 1_000
LEEWAY_S = 60
NONCE = 12
PUBLISHED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
ODD = (
    JoseError, LookupError, ValueError, TypeError, AttributeError, RecursionError, httpx.HTTPError, httpx.InvalidURL,
)  # fmt: skip
"""What an answer raises that is not as OpenID Connect says: the provider is another's program."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """Where the provider is, who we are there, and by which claim users are known here."""

    issuer: str
    client_id: str
    secret: str
    claim: str


class _Asked(msgspec.Struct, frozen=True):
    """What a browser keeps of its question, sealed: nobody's question can push out another's."""

    state: str
    nonce: str
    verifier: str
    after: str
    until_us: int


def oidc_settings(table: Mapping[str, Any], base: Path) -> OidcSettings | None:
    """Read [oidc]; None where there is none. Raises BadInput for unknown keys and a secret that cannot be read."""
    if not table:
        return None
    check_keys(dict(table), required={"issuer", "client_id", "secret_file"}, optional={"claim"}, place="[oidc]")
    try:
        secret = (base / str(table["secret_file"])).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "the secret cannot be read.", code="no_secret", place="[oidc] secret_file", remedy="Name a readable file."
        ) from error
    claim, issuer = str(table.get("claim", "preferred_username")), urlsplit(str(table["issuer"]))
    if issuer.scheme != "https" and not (issuer.scheme == "http" and issuer.hostname in LOOPBACK):
        raise BadInput(
            "is no https address.", code="bad_issuer", place="[oidc] issuer",
            remedy="Name the provider's own, as https://id.city.example: whoever is on the way could vouch otherwise.",
        )  # fmt: skip
    return OidcSettings(str(table["issuer"]).rstrip("/"), str(table["client_id"]), secret, claim)


class CityOidc:
    """The way to the provider and back (`web.oidc.StaffDoor`).

    What waits for an answer is kept in the browser's cookie, sealed under a key of this process: who was at the
    provider while it began anew begins anew as well.
    """

    def __init__(self, settings: OidcSettings, accounts: Accounts, now_us: Callable[[], int]) -> None:
        """Speak to a provider; nothing is asked of it before somebody signs in."""
        self._settings = settings
        self._accounts = accounts
        self._now_us = now_us
        self._lock = threading.Lock()
        self._key = AESGCM(AESGCM.generate_key(256))
        self._signing = secrets.token_bytes(32)
        self._shown: OrderedDict[str, None] = OrderedDict()
        self._found: dict[str, Any] | None = None

    def begin(self, origin: str, after: str) -> tuple[str, str]:
        """Give the provider's address for a browser, and the secret that its cookie is to hold."""
        nonce, verifier, name = (secrets.token_urlsafe(32) for _ in range(3))
        state = f"{name}.{self._signed(name)}"
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": f"{origin}{CALLBACK}",
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        endpoint = str(self._provider()["authorization_endpoint"])
        url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"
        asked = _Asked(state, nonce, verifier, after[:LONGEST_AFTER], self._now_us() + WAITING_US)
        once = secrets.token_bytes(NONCE)
        sealed = once + self._key.encrypt(once, msgspec.json.encode(asked), None)
        return url, base64.urlsafe_b64encode(sealed).decode()

    def finish(self, origin: str, state: str, code: str, browser: str) -> tuple[LetIn, str]:
        """Let in whom the provider vouches for; give him and where he wanted to go.

        Raises Unknown where the answer is not to our question, from another browser, too late, or not well signed.
        """
        fresh, asked = self._first(state), self._asked(browser)
        if not fresh or asked is None or asked.until_us <= self._now_us() or not _same(asked.state, state):
            raise _refused()
        try:
            token = self._token(origin, code, asked.verifier)
            who = self._who(self._claims(str(token["id_token"]), asked.nonce))
        except httpx.TransportError as error:
            raise _silent(self._settings.issuer) from error
        except ODD as error:
            self._found = None  # what it publishes of itself may have changed
            raise _refused() from error
        return self._accounts.vouched(who), asked.after

    def _who(self, claims: Mapping[str, Any]) -> Vouched:
        """Give who is meant; raises ValueError for nobody, and for a mail address that the provider has not proved."""
        subject, claim = claims["sub"], self._settings.claim
        if not isinstance(subject, str) or not subject:
            raise ValueError("sub")
        if claim == "email" and claims.get("email_verified") is not True:
            raise ValueError("email_verified")
        return Vouched(self._settings.issuer, subject, str(claims.get(claim, "")))

    def _first(self, state: str) -> bool:
        """Tell whether a state is one of ours that nobody has shown yet."""
        name, _, signed = state.partition(".")
        if not _same(self._signed(name), signed):
            return False
        with self._lock:
            known = name in self._shown
            self._shown[name] = None
            while len(self._shown) > MOST_SHOWN:
                self._shown.popitem(last=False)
        return not known

    def _signed(self, name: str) -> str:
        return hmac.new(self._signing, name.encode(), hashlib.sha256).hexdigest()

    def _asked(self, browser: str) -> _Asked | None:
        """Open what a browser kept; None for what we did not seal."""
        try:
            sealed = base64.urlsafe_b64decode(browser.encode())
            return msgspec.json.decode(self._key.decrypt(sealed[:NONCE], sealed[NONCE:], None), type=_Asked)
        except (ValueError, InvalidTag):
            return None

    def _token(self, origin: str, code: str, verifier: str) -> dict[str, Any]:
        """Give what the provider gives for a code (RFC 6749, section 4.1.3; RFC 7636)."""
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{origin}{CALLBACK}",
            "code_verifier": verifier,
        }
        who = (quote_plus(self._settings.client_id), quote_plus(self._settings.secret))  # RFC 6749, section 2.3.1
        answer = httpx.post(str(self._provider()["token_endpoint"]), data=sent, auth=who, timeout=WAIT_S)
        return _object(answer)

    def _claims(self, text: str, nonce: str) -> dict[str, Any]:
        """Check an id token: signature, issuer, audience, authorised party, times, nonce; give its claims."""
        token = jwt.decode(text, _keys(self._get(self._provider()["jwks_uri"])), algorithms=ALGORITHMS)
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._provider()["issuer"]},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        rules.validate(token.claims)
        said = dict(token.claims)
        others = said["aud"] if isinstance(said["aud"], list) else []
        if said.get("azp", "" if len(others) > 1 else self._settings.client_id) != self._settings.client_id:
            raise ValueError("azp")  # made for another client, to be shown to us (OpenID Connect Core, 3.1.3.7)
        return said

    def _provider(self) -> dict[str, Any]:
        """Give what the provider publishes of itself. Raises CityError where it does not answer or names another."""
        if self._found is None:
            try:
                found = self._get(f"{self._settings.issuer}/.well-known/openid-configuration")
            except (httpx.HTTPError, ValueError) as error:
                raise _silent(self._settings.issuer) from error
            whole = all(isinstance(found.get(name), str) for name in PUBLISHED)
            if not whole or found["issuer"].rstrip("/") != self._settings.issuer:
                raise CityError("names another issuer.", code="provider_wrong", place=self._settings.issuer)
            self._found = found
        return self._found

    def _get(self, url: str) -> dict[str, Any]:
        return _object(httpx.get(url, timeout=WAIT_S))


def _object(answer: httpx.Response) -> dict[str, Any]:
    """Read an answer's JSON; raises ValueError for another value than an object, HTTPError for a refusal."""
    found: Any = answer.raise_for_status().json()
    if not isinstance(found, dict):
        raise ValueError("no object")
    return dict(found)


def _keys(published: Mapping[str, Any]) -> KeySet:
    """Give the keys by which a token may be signed; of others in the set nothing is asked (RFC 7517, section 5)."""
    signing = [one for one in published["keys"] if one["kty"] in KEY_KINDS and one.get("use", "sig") == "sig"]
    return KeySet.import_key_set({"keys": signing})


def _silent(issuer: str) -> CityError:
    return CityError(
        "the identity provider does not answer.",
        code="provider_silent",
        place=issuer,
        remedy="Sign in with your password or passkey, or try again.",
    )


def _same(one: str, other: str) -> bool:
    """Compare in a time that does not depend on where they differ; what people send may be any text."""
    return hmac.compare_digest(one.encode(), other.encode())


def _refused() -> Unknown:
    return Unknown(
        "the identity provider's answer does not fit.", code="not_vouched", remedy="Begin again on the sign-in page."
    )
