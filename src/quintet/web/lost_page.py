"""What a browser shows where there is nothing for its reader: a sentence, and the way to what is his."""

import json
from functools import cache
from html import escape
from importlib.resources import files

from fastapi.responses import HTMLResponse
from starlette.requests import HTTPConnection

from .page import LANGUAGES

PROGRAMS = ("/api/", "/static/", "/home/assets/")
"""What programs and pages fetch; they are answered with a problem."""
HEADERS = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language, Cookie"}


def wants_page(asked: HTTPConnection) -> bool:
    """Tell whether a person opened an address in a browser: it asks for a page by name, which programs do not."""
    get = asked.scope.get("method") in ("GET", "HEAD")
    path = str(asked.scope["path"])
    return get and "text/html" in asked.headers.get("accept", "") and not path.startswith(PROGRAMS)


def lost_page(language: str, status: int) -> HTMLResponse:
    """Give the page; it says the same of what is not there and of what is not the reader's."""
    return HTMLResponse(_html(language), status, {**HEADERS, "Content-Language": language})


@cache
def lost_strings(language: str) -> dict[str, str]:
    """Give the page's strings of a language by key."""
    text = files("quintet.web").joinpath("strings", "lost", f"{language}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def _html(language: str) -> str:
    text = {key: escape(value) for key, value in lost_strings(language).items()}
    current = {language: ' aria-current="true"'}
    links = "".join(
        f'<a href="?lang={code}" hreflang="{code}" lang="{code}"{current.get(code, "")}>'
        f"{escape(lost_strings(code)['lang.name'])}</a>"
        for code in LANGUAGES
    )
    # the city's page leads everybody on to his own
    ways = "".join(
        f'<a href="{address}?lang={language}">{text[key]}</a>'
        for address, key in (("/", "own"), ("/account", "account"))
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f"<title>{text['title']} · {text['brand']}</title>"
        '<link rel="icon" href="/static/mark.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/static/page.css"><link rel="stylesheet" href="/static/account/account.css">'
        f'</head><body data-mode="lost"><header class="bar"><span class="brand">{text["brand"]}</span>'
        f'<nav class="languages">{links}</nav></header><main class="account"><h1>{text["title"]}</h1>'
        f'<p class="note">{text["lead"]}</p><div class="ways">{ways}</div></main></body></html>'
    )
