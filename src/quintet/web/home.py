"""The resident's page at /home: its frame in the reader's language, its built files, and what makes it installable."""

import gzip
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import anyio
import anyio.to_thread
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.terms.errors import CityError, NotFound, QuintetError

from .home_first import First
from .page import chosen_language

BUILT = Path(__file__).parent / "static" / "home"
WORDS = Path(__file__).parent / "strings" / "home"
LIST = "files.json"
ENTRY = "src/main.ts"
VIEWS = ("bill", "history", "compare", "alerts", "data")
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
ANEW = {"Cache-Control": "no-cache"}
PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Accept-Language, Cookie"}
KINDS = {".js": "text/javascript", ".css": "text/css"}
SMALL = 512
"""Bytes under which a file is not worth packing."""
COLOURS = ("#FBFBFA", "#14171A")
"""The paper, light and dark."""
FIGURES_S = 0.15
"""How long the page waits for today's figures, which it then shows at once: a round trip of a phone, after which its
own question would be here as well. What takes longer goes on, and is found made by that question."""
PACKING = 6
"""How hard the page is packed: 10 kB in 0.3 ms."""


class File(NamedTuple):
    """One built file as it is, and packed by coding, the best first."""

    plain: bytes
    packed: tuple[tuple[str, bytes], ...]
    kind: str


def home_routes() -> Sequence[BaseRoute]:
    """Give the addresses of the page and of its files."""
    return [
        Route("/home", _page, methods=["GET"]),
        *(Route(f"/home/{view}", _page, methods=["GET"]) for view in VIEWS),
        Route("/home/sw.js", _worker, methods=["GET"]),
        Route("/home/manifest.webmanifest", _manifest, methods=["GET"]),
        Route("/home/assets/{name}", _asset, methods=["GET"]),
        Route("/home/{view}", _page, methods=["GET"]),
    ]


@cache
def words(language: str) -> dict[str, str]:
    """Give the page's strings of a language by key."""
    return json.loads((WORDS / f"{language}.json").read_text(encoding="utf-8"))


@cache
def built() -> dict[str, dict[str, Any]]:
    """Give the list of what was built, by source; raises CityError where nothing was."""
    try:
        return json.loads((BUILT / LIST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CityError(
            "this checkout holds the resident's page only as source.",
            code="page_not_built",
            place="/home",
            remedy="Build it with `make home`, and start again.",
        ) from error


def needed(language: str) -> tuple[list[str], list[str]]:
    """Give the scripts and the style sheets that the first view loads, the entry first."""
    table = built()
    scripts: list[str] = []
    styles: list[str] = []

    def take(source: str) -> None:
        row = table[source]
        if row["file"] not in scripts:
            scripts.append(row["file"])
            styles.extend(one for one in row.get("css", ()) if one not in styles)
            for inner in row.get("imports", ()):
                take(inner)

    take(ENTRY)
    take(next(source for source in table if source.endswith(f"strings/home/{language}.json")))
    return scripts, styles


@cache
def _file(path: Path) -> File:
    """Read a built file once; where the build packed it by Brotli, that lies beside it."""
    plain = path.read_bytes()
    better = path.with_name(f"{path.name}.br")
    packed = [("br", better.read_bytes())] if better.is_file() else []
    if len(plain) > SMALL:
        packed.append(("gzip", gzip.compress(plain, 9, mtime=0)))
    return File(plain, tuple(packed), KINDS.get(path.suffix, "application/octet-stream"))


def _sent(request: Request, path: Path, headers: dict[str, str]) -> Response:
    """Send a built file, packed to who takes it so."""
    file = _file(path)
    taken = {one.partition(";")[0].strip() for one in request.headers.get("accept-encoding", "").split(",")}
    vary = {**headers, "Vary": "Accept-Encoding"}
    for coding, packed in file.packed:
        if coding in taken:
            return Response(packed, media_type=file.kind, headers={**vary, "Content-Encoding": coding})
    return Response(file.plain, media_type=file.kind, headers=vary)


def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    known = {path.name: path for path in (BUILT / "assets").glob("*") if path.suffix in KINDS}
    if name not in known:
        raise NotFound("there is no such file.", code="no_such_address", place=name, remedy="Load /home again.")
    return _sent(request, known[name], FOREVER)


def _worker(request: Request) -> Response:
    built()
    return _sent(request, BUILT / "sw.js", {**ANEW, "Service-Worker-Allowed": "/home"})


def _manifest(request: Request) -> Response:
    """Say how the page is installed; its language is that of the page that names it."""
    language = chosen_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    said = words(language)
    body = {
        "id": "/home",
        "name": said["app.name"],
        "short_name": said["app.short"],
        "description": said["app.about"],
        "lang": language,
        "start_url": "/home",
        "scope": "/home",
        "display": "standalone",
        "background_color": COLOURS[0],
        "theme_color": COLOURS[0],
        "icons": [
            {"src": "/static/mark.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            {"src": "/static/mark-192.png", "sizes": "192x192", "type": "image/png", "purpose": "any"},
            {"src": "/static/mark-512.png", "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
        ],
    }
    return JSONResponse(body, media_type="application/manifest+json", headers=ANEW)


async def _page(request: Request) -> Response:
    reader = getattr(request.state, "reader", None)
    accepted = request.headers.get("accept-language", "")
    wished = request.query_params.get("lang") or (getattr(reader, "language", "") or None)
    language = chosen_language(wished, accepted)
    homes = [home.place for home in getattr(reader, "homes", ())]
    place = request.query_params.get("place") or (homes[-1] if homes else None)
    who = {name: getattr(reader, name, usual) for name, usual in (("id", ""), ("kind", "local"), ("name", ""))}
    who["roles"] = sorted(getattr(reader, "roles", ()))
    frame = {"language": language, "place": place, "homes": homes, "reader": who}
    frame["city"] = bool(getattr(reader, "runs_city", True))
    figures = await _figures(reader, frame) if request.url.path == "/home" else None
    kept = {name: request.query_params[name] for name in ("place", "lang") if name in request.query_params}
    body, headers = page_html(frame, figures, kept).encode(), {**PRIVATE, "Content-Language": language}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, PACKING, mtime=0), "gzip"
    return Response(body, media_type="text/html", headers=headers)


def _open(frame: dict[str, Any]) -> bool:
    """Tell whether the page may begin with the home's figures: who must give a reason is asked for it first."""
    return bool(frame["place"]) and (frame["place"] in frame["homes"] or frame["reader"]["kind"] == "local")


async def _figures(reader: Any, frame: dict[str, Any]) -> bytes | None:
    """Give what /home/now answers, where it is there soon; what the page must say instead is its own question's."""
    if reader is None or not _open(frame):
        return None
    try:
        held = reader.questions.home.now_at_hand(frame["place"])
        if held is None:
            with anyio.move_on_after(FIGURES_S):
                held = await anyio.to_thread.run_sync(
                    reader.questions.home.now_told, frame["place"], abandon_on_cancel=True
                )
    except QuintetError:
        return None
    return None if held is None else held[0]


def page_html(frame: dict[str, Any], figures: bytes | None = None, kept: dict[str, str] | None = None) -> str:
    """Write the frame of the page: what it loads, who reads, and today's figures where they are known.

    No script stands in it. `figures` is the answer of /home/now, `kept` what the page's own addresses keep of this one.
    """
    language = frame["language"]
    said = words(language)
    scripts, styles = needed(language)
    # a browser would take what it loaded ahead without a reason for the answer to the question with one
    questions = []
    if _open(frame):
        questions = [f"alerts?{urlencode({'place': frame['place'], 'language': language})}"]
        if figures is None:
            questions.insert(0, f"now?{urlencode({'place': frame['place']})}")
    first = f'<p class="start">{escape(said["starting"])}</p>'
    if figures is not None:
        first = First(json.loads(figures), language, said, kept or {}).html(("now", *VIEWS))
    parts = [
        "<!doctype html>",
        f'<html lang="{language}"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">',
        '<meta name="color-scheme" content="light dark">',
        f'<meta name="theme-color" media="(prefers-color-scheme: light)" content="{COLOURS[0]}">',
        f'<meta name="theme-color" media="(prefers-color-scheme: dark)" content="{COLOURS[1]}">',
        f"<title>{escape(said['title'])} · Quintet</title>",
        f'<meta name="description" content="{escape(said["app.about"])}">',
        *(f'<link rel="stylesheet" href="/home/{name}">' for name in styles),
        f'<script type="module" src="/home/{scripts[0]}"></script>',
        *(f'<link rel="modulepreload" href="/home/{name}">' for name in scripts[1:]),
        *(f'<link rel="preload" as="fetch" crossorigin href="{escape(f"/api/v1/home/{one}")}">' for one in questions),
        '<link rel="icon" href="/static/mark.svg" type="image/svg+xml">',
        '<link rel="apple-touch-icon" href="/static/mark-192.png">',
        f'<link rel="manifest" href="/home/manifest.webmanifest?lang={language}">',
        "</head><body>",
        f'<div id="home">{first}',
        f'<noscript><p class="start">{escape(said["noscript"])}</p></noscript></div>',
        _data("frame", json.dumps(frame, ensure_ascii=False)),
        *([_data("now", figures.decode())] if figures is not None else []),
        "</body></html>",
    ]
    return "\n".join(parts)


def _data(name: str, text: str) -> str:
    """Lay data into the page, so that nothing in it ends its element."""
    quiet = text.replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{quiet}</script>'
