"""The addresses of accounts: signing in and out, who I am, my tokens, consents and read log, and leaving."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from quintet.views.accounts import Accounts, LetIn
from quintet.views.accounts_asked import (
    Accept,
    ConsentAsked,
    Leave,
    NewPassword,
    OneCode,
    PasskeyMade,
    PasskeyShown,
    SignIn,
    Spoken,
    TokenAsked,
)
from quintet.views.answers_accounts import Me, OwnPasskeys, OwnToken, OwnTokens, Reads

from .api import JSON
from .identity import cookie_of, set_cookie
from .parameters import LIMIT, within
from .rows import HEADERS, ID, Call, Row, TablePart

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Entry:
    """Accounts as browsers meet them, and the address of the site elsewhere, if it has one."""

    accounts: Accounts
    public: str

    def let_in(self, found: LetIn) -> Response:
        """Answer who came in, with the cookie that keeps him in."""
        headers = {**HEADERS, "Set-Cookie": set_cookie(found.secret, self.public, found.seconds)}
        return Response(_ENCODER.encode(found.me), media_type=JSON, headers=headers)

    def out(self, call: Call) -> Response:
        """End the session and take the cookie back."""
        secret = cookie_of(call.request.headers, self.public)
        if secret:
            self.accounts.sign_out(secret)
        return self._nothing("", 0)

    def changed(self, call: Call) -> Response:
        """Set the password of who asks; his other sessions end, this one goes on with a new cookie."""
        found = self.accounts.set_password(call.reader, call.said, call.client)
        return self._nothing(found.secret, found.seconds)

    def elsewhere(self, call: Call) -> None:
        """End the other sessions of who asks."""
        self.accounts.sign_out_others(call.reader, cookie_of(call.request.headers, self.public))

    def left(self, call: Call) -> Response:
        """Erase who asks."""
        secret = cookie_of(call.request.headers, self.public)
        self.accounts.leave(call.reader, call.said, call.client, secret)
        return self._nothing("", 0)

    def site(self, request: Request) -> tuple[str, str]:
        """Give the host and origin that a passkey is bound to: of the public address, else as the browser says."""
        origin = self.public or f"{request.url.scheme}://{request.headers.get('host', '')}"
        return urlsplit(origin).hostname or "", origin

    def _nothing(self, secret: str, seconds: int) -> Response:
        cookie = set_cookie(secret, self.public, seconds)
        return Response(status_code=204, headers={**HEADERS, "Set-Cookie": cookie})


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty object."""


def ways(options: bytes) -> Response:
    """Answer with WebAuthn's own JSON."""
    return Response(options, media_type=JSON, headers=HEADERS)


ROWS: tuple[Row[Entry], ...] = (
    Row(
        "POST", "/session", "post_session", "Sign in with name and password.", SignIn, Me,
        lambda entry, call: entry.let_in(entry.accounts.sign_in(call.said, call.client)),
        statuses=(400, 401, 403, 429),
    ),
    Row(
        "DELETE", "/session", "delete_session", "Sign out.", None, None,
        lambda entry, call: entry.out(call), 204,
    ),
    Row(
        "POST", "/session:link", "post_session_link", "Come in by a link that opens once.", OneCode, Me,
        lambda entry, call: entry.let_in(entry.accounts.by_link(call.said, call.client)),
        statuses=(400, 401, 403, 429),
    ),
    Row(
        "POST", "/invitations:accept", "post_invitations_accept", "Make an account by an invitation.", Accept, Me,
        lambda entry, call: entry.let_in(entry.accounts.accept(call.said, call.client)),
        statuses=(400, 401, 403, 429),
    ),
    Row(
        "POST", "/session:passkey-options", "post_session_passkey_options", "What a browser needs for a passkey.",
        Nothing, None, lambda entry, call: ways(entry.accounts.passkey_options(entry.site(call.request)[0])),
    ),
    Row(
        "POST", "/session:passkey", "post_session_passkey", "Sign in with a passkey.", PasskeyShown, Me,
        lambda entry, call: entry.let_in(
            entry.accounts.by_passkey(call.said, *entry.site(call.request), call.client)
        ),
        statuses=(400, 401, 403, 429),
    ),
    Row(
        "POST", "/me/passkeys:options", "post_me_passkeys_options", "What a browser needs to make a passkey.",
        Nothing, None,
        lambda entry, call: ways(entry.accounts.new_passkey_options(call.reader, entry.site(call.request)[0])),
    ),
    Row(
        "POST", "/me/passkeys", "post_me_passkeys", "Keep a passkey that a browser made.", PasskeyMade, Me,
        lambda entry, call: entry.accounts.keep_passkey(call.reader, call.said, *entry.site(call.request)), 201,
    ),
    Row("GET", "/me", "get_me", "Who asks, and what he may see.", None, Me,
        lambda entry, call: entry.accounts.me(call.reader.identity)),
    Row("DELETE", "/me", "delete_me", "Erase the person who asks, for good.", Leave, None,
        lambda entry, call: entry.left(call), 204, statuses=(400, 401, 403, 429)),
    Row("POST", "/me/password", "post_me_password", "Set my password; all other sessions end.", NewPassword, None,
        lambda entry, call: entry.changed(call), 204, statuses=(400, 401, 403, 429)),
    Row("PUT", "/me/language", "put_me_language", "Set the language of my pages and mails.", Spoken, Me,
        lambda entry, call: entry.accounts.speak(call.reader, call.said)),
    Row("GET", "/me/passkeys", "get_me_passkeys", "My passkeys.", None, OwnPasskeys,
        lambda entry, call: entry.accounts.passkeys(call.reader)),
    Row("DELETE", "/me/passkeys/{id}", "delete_me_passkeys_id", "Forget a passkey: it signs in no more.", None, None,
        lambda entry, call: entry.accounts.end_passkey(call.reader, call.id), 204, (ID,), (400, 401, 403, 404)),
    Row("DELETE", "/me/sessions", "delete_me_sessions", "End all my other sessions and links.", None, None,
        lambda entry, call: entry.elsewhere(call), 204),
    Row("GET", "/me/reads", "get_me_reads", "Who else read of my dwellings, what and why.", None, Reads,
        lambda entry, call: entry.accounts.reads(call.reader, within(call.given[LIMIT.name], LIMIT)), asked=(LIMIT,)),
    Row("GET", "/me/tokens", "get_me_tokens", "My tokens, without what proves them.", None, OwnTokens,
        lambda entry, call: entry.accounts.tokens(call.reader, consents=False)),
    Row("POST", "/me/tokens", "post_me_tokens", "Make a token for my own programs; shown once.", TokenAsked, OwnToken,
        lambda entry, call: entry.accounts.make_token(call.reader, call.said), 201, statuses=(400, 401, 403, 404)),
    Row("DELETE", "/me/tokens/{id}", "delete_me_tokens_id", "End a token.", None, None,
        lambda entry, call: entry.accounts.end_token(call.reader, call.id), 204, (ID,), (400, 401, 403, 404)),
    Row("GET", "/me/consents", "get_me_consents", "What third parties may see, for what, until when.", None,
        OwnTokens, lambda entry, call: entry.accounts.tokens(call.reader, consents=True)),
    Row("POST", "/me/consents", "post_me_consents", "Let a third party see something, for a purpose, for a time.",
        ConsentAsked, OwnToken, lambda entry, call: entry.accounts.agree(call.reader, call.said), 201,
        statuses=(400, 401, 403, 404)),
    Row("DELETE", "/me/consents/{id}", "delete_me_consents_id", "Take a consent back: its streams end.", None, None,
        lambda entry, call: entry.accounts.end_token(call.reader, call.id), 204, (ID,), (400, 401, 403, 404)),
)  # fmt: skip
"""Every address of accounts."""


class AccountsPart(TablePart[Entry]):
    """What the site mounts for accounts."""

    def __init__(self, accounts: Accounts, public: str = "") -> None:
        """Answer through these accounts; `public` is the address of the site elsewhere, if it has one."""
        super().__init__(ROWS, Entry(accounts, public))
