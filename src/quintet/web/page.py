"""The pages: the city today in the reader's language, and the plain reference of the addresses."""

import json
import re
from functools import cache
from html import escape
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi.responses import HTMLResponse
from starlette.responses import RedirectResponse

from quintet.terms.quality import ORDERED, qualities
from quintet.views.identity import Reader

LANGUAGES = ("ko", "en")
DEFAULT_LANGUAGE = "en"
SLOT = re.compile(r"\{\{([a-z.]+)\}\}")
FRAME = ("lang", "languages", "strings")
"""Slots of the page that are no strings of the catalogue."""


@cache
def strings(language: str) -> dict[str, str]:
    """Give one language's strings by key; an estimate that a person ordered is said by its method."""
    text = files("quintet.web").joinpath("strings", f"{language}.json").read_text(encoding="utf-8")
    said: dict[str, str] = json.loads(text)
    ordered = said.pop("quality.ordered")
    for code in qualities():
        if code.startswith(ORDERED):
            said[f"quality.{code}"] = ordered.format(method=said[f"quality.{code.removeprefix(ORDERED)}"])
    return said


def chosen_language(asked: str | None, accepted: str) -> str:
    """Choose a language: the one asked for in the address, else the first accepted one that there is."""
    if asked in LANGUAGES:
        return asked
    wishes: list[tuple[float, str]] = []
    for wish in accepted.split(","):
        name, _, weight = wish.strip().partition(";q=")
        code = name.partition("-")[0].strip().lower()
        if code in LANGUAGES:
            wishes.append((_weight(weight), code))
    return max(wishes, key=lambda wish: wish[0])[1] if wishes else DEFAULT_LANGUAGE


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def city_page(asked: str | None, accepted: str) -> HTMLResponse:
    """Give the page of the city today; `asked` is the address's language, `accepted` the browser's header."""
    language = chosen_language(asked, accepted)
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-cache"}
    return HTMLResponse(_city_html(language), headers=headers)


def to_own_page(reader: Reader, language: str | None) -> RedirectResponse:
    """Send who does not run the city to the page that is his; the language of the address goes along."""
    manages = "building_manager" in reader.roles and not reader.homes
    kept = f"?lang={language}" if language in LANGUAGES else ""
    headers = {"Cache-Control": "no-store"}
    return RedirectResponse(f"{'/building' if manages else '/home'}{kept}", HTTPStatus.SEE_OTHER, headers)


@cache
def _city_html(language: str) -> str:
    said = strings(language)
    current = {language: ' aria-current="true"'}
    links = "".join(
        f'<a href="?lang={code}" hreflang="{code}" lang="{code}" data-lang="{code}"{current.get(code, "")}>'
        f"{escape(strings(code)['lang.name'])}</a>"
        for code in LANGUAGES
    )
    data = json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")
    slots = {**{key: escape(text) for key, text in said.items()}, "lang": language, "languages": links, "strings": data}
    html = files("quintet.web").joinpath("city.html").read_text(encoding="utf-8")
    return SLOT.sub(lambda found: slots[found.group(1)], html)


def reference_page(document: dict[str, Any]) -> HTMLResponse:
    """Give a plain page of an OpenAPI document: every address, what it takes and what it says when it refuses."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        "<title>Addresses · Quintet</title>",
        '<link rel="icon" href="/static/mark.svg" type="image/svg+xml">',
        '<link rel="stylesheet" href="/static/page.css"></head>',
        '<body><main class="reference"><h1>Addresses</h1>',
        f"<p>{escape(document['info']['description'])}</p>",
        '<p>As a document for programs: <a href="/openapi.json">openapi.json</a>. '
        "Errors are application/problem+json with a stable <code>code</code> and a <code>remedy</code>. "
        '<a href="/">Back to the city</a></p>',
    ]
    for path, methods in document["paths"].items():
        parts += [_operation(method.upper(), path, said) for method, said in methods.items()]
    parts.append("</main></body></html>")
    return HTMLResponse("".join(parts))


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{'yes' if one['required'] else ''}</td>"
        f"<td>{escape(one['description'])}{_choices(one['schema'])}</td></tr>"
        for one in operation.get("parameters", [])
        if one["in"] in ("query", "path")
    )
    table = f"<table><tr><th>Parameter</th><th>Needed</th><th>Meaning</th></tr>{rows}</table>" if rows else ""
    forms = ", ".join(f"<code>{escape(form)}</code>" for form in operation.get("requestBody", {}).get("content", {}))
    body = f"<p>Takes {forms}; needs a token.</p>" if forms else ""
    return f"<h2><code>{method} {escape(path)}</code></h2><p>{escape(operation['summary'])}</p>{body}{table}"


def _choices(schema: dict[str, Any]) -> str:
    return f" One of {escape(', '.join(schema['enum']))}." if "enum" in schema else ""
