"""The pages on which people come in: sign in, open a link that opens once, use an invitation; and their account."""

import json
from collections.abc import Sequence
from functools import cache, partial
from html import escape
from importlib.resources import files

from fastapi.responses import HTMLResponse
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from quintet.terms.commodity import commodities

from .account_page import own_account
from .identity import Doorkeeper
from .page import LANGUAGES, chosen_language

MODES = ("sign-in", "enter", "invited", "account")
HEADERS = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
FIELDS = {
    "sign-in": (("name", "text", "username", False), ("password", "password", "current-password", False)),
    "enter": (),
    "invited": (
        ("code", "text", "one-time-code", False),
        ("name", "text", "username", True),
        ("password", "password", "new-password", True),
        ("display", "text", "name", False),
    ),
}
"""By page: each field's name, its type, what browsers fill in, and whether a hint stands below it."""
OPTIONAL = ("display",)


def signin_routes(keeper: Doorkeeper) -> Sequence[BaseRoute]:
    """Give the addresses of the pages."""
    return [Route(f"/{mode}", partial(_page, keeper), methods=["GET"], name=mode) for mode in MODES]


@cache
def account_strings(language: str) -> dict[str, str]:
    """Give the pages' strings of a language by key."""
    text = files("quintet.web").joinpath("strings", "account", f"{language}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


async def _page(keeper: Doorkeeper, request: Request) -> HTMLResponse:
    mode = request.url.path.strip("/")
    language = chosen_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    return HTMLResponse(_html(mode, language, keeper.staff_door), headers={**HEADERS, "Content-Language": language})


@cache
def _html(mode: str, language: str, staff: bool) -> str:
    said = account_strings(language)
    text = {key: escape(value) for key, value in said.items()}
    current = {language: ' aria-current="true"'}
    links = "".join(
        f'<a href="?lang={code}" hreflang="{code}" lang="{code}"{current.get(code, "")}>'
        f"{escape(account_strings(code)['lang.name'])}</a>"
        for code in LANGUAGES
    )
    named = {code: getattr(one, f"name_{language}") for code, one in commodities().rows.items() if one.balanced}
    more = {"utilities": named} if mode == "account" else {}
    data = json.dumps({**said, **more}, ensure_ascii=False).replace("<", "\\u003c")
    body = own_account(text) if mode == "account" else _coming_in(mode, text, staff)
    script = "own" if mode == "account" else "account"
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f"<title>{text[f'{mode}.title']} · {text['brand']}</title>"
        '<link rel="icon" href="/static/mark.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/static/page.css"><link rel="stylesheet" href="/static/account/account.css">'
        f'</head><body data-mode="{mode}"><header class="bar"><span class="brand">{text["brand"]}</span>'
        f'<nav class="languages">{links}</nav></header><main class="account"><h1>{text[f"{mode}.title"]}</h1>'
        f"{body}</main>"
        f'<script type="application/json" id="said">{data}</script>'
        f'<script src="/static/account/{script}.js" defer></script></body></html>'
    )


def _coming_in(mode: str, text: dict[str, str], staff: bool) -> str:
    """Write the form of a page on which somebody comes in, and the other ways below it."""
    fields = "".join(_field(text, *field) for field in FIELDS[mode])
    door = f'<a href="/oidc/start">{text["sign-in.staff"]}</a>' if staff else ""
    ways = {
        "sign-in": f'<button type="button" id="passkey" hidden>{text["sign-in.passkey"]}</button>'
        f'<a href="/invited">{text["sign-in.invited"]}</a>{door}',
        "invited": f'<a href="/sign-in">{text["invited.sign-in"]}</a>',
    }.get(mode, "")
    return (
        f'<p class="note">{text[f"{mode}.lead"]}</p><form method="post">{fields}'
        f'<button class="main" type="submit">{text[f"{mode}.do"]}</button></form>'
        f'<p role="alert" aria-live="assertive"></p><div class="ways">{ways}</div>'
    )


def _field(text: dict[str, str], name: str, kind: str, fill: str, hint: bool) -> str:
    below = f"<small>{text[f'field.{name}.hint']}</small>" if hint else ""
    needed = "" if name in OPTIONAL else " required"
    plain = ' autocapitalize="characters" spellcheck="false"' if name == "code" else ""
    return (
        f"<label><span>{text[f'field.{name}']}</span>{below}"
        f'<input name="{name}" type="{kind}" autocomplete="{fill}"{needed}{plain}></label>'
    )
