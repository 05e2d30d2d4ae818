"""The page that opens the links of messages: confirm an address, or end what is told there. Anybody may open it."""

import json
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

from fastapi.responses import HTMLResponse
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from .page import LANGUAGES, chosen_language

ADDRESS = "/telling"
HEADERS = {"Cache-Control": "no-store", "Vary": "Accept-Language"}


def telling_routes() -> Sequence[BaseRoute]:
    """Give the address of the page."""
    return [Route(ADDRESS, _page, methods=["GET"], name="telling")]


@cache
def telling_strings(language: str) -> dict[str, str]:
    """Give the page's strings of a language by key."""
    text = files("quintet.web").joinpath("strings", "telling", f"{language}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


async def _page(request: Request) -> HTMLResponse:
    language = chosen_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    return HTMLResponse(_html(language), headers={**HEADERS, "Content-Language": language})


@cache
def _html(language: str) -> str:
    """Write the page; what the code is for stands after the # and is known to the browser only."""
    said = telling_strings(language)
    text = {key: escape(value) for key, value in said.items()}
    current = {language: ' aria-current="true"'}
    links = "".join(
        f'<a href="?lang={code}" hreflang="{code}" lang="{code}"{current.get(code, "")}>'
        f"{escape(telling_strings(code)['lang.name'])}</a>"
        for code in LANGUAGES
    )
    data = json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f"<title>{text['confirm.title']} · {text['brand']}</title>"
        '<link rel="icon" href="/static/mark.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/static/page.css"><link rel="stylesheet" href="/static/account/account.css">'
        f'</head><body data-mode="telling"><header class="bar"><span class="brand">{text["brand"]}</span>'
        f'<nav class="languages">{links}</nav></header><main class="account"><h1>{text["confirm.title"]}</h1>'
        f'<p class="note">{text["confirm.lead"]}</p><form method="post">'
        f'<button class="main" type="submit">{text["confirm.do"]}</button></form>'
        '<p role="alert" aria-live="assertive"></p></main>'
        f'<script type="application/json" id="said">{data}</script>'
        '<script src="/static/telling/telling.js" defer></script></body></html>'
    )
