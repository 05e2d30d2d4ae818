"""Reports over HTTP: one is ordered, made beside all else, fetched file by file or whole, and verified."""

import io
import re
import secrets
import zipfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from quintet.ingest.http_answers import PROBLEM, REF
from quintet.ingest.http_edits import decoded
from quintet.terms.errors import BadInput, CityError, NotFound, QuintetError, TooLarge
from quintet.web.api import JSON, etag_of, matches
from quintet.web.problems import unknown_parameters

from .answer import no_progress
from .answers_report import report_figures
from .city import City
from .command_report import span_said
from .report_build import bundled
from .report_bundle import Reported, damage_of, read_bundle
from .report_verify import verified
from .requests import ReportFigures

REPORTS = "/api/v1/reports"
ONE, FILE, BUNDLE = f"{REPORTS}/{{id}}", f"{REPORTS}/{{id}}/files/{{name}}", f"{REPORTS}/{{id}}/bundle"
VERIFY, JOB = f"{REPORTS}/{{id}}:verify", "/api/v1/jobs/{id}"
FOLDER = "reports"
MOST_WAITING, MOST_BODY = 4, 16_384
MEDIA = {".pdf": "application/pdf", ".json": JSON}
SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ID = re.compile(r"[0-9a-f]{16}")
_REPORTED = msgspec.json.Decoder(Reported)


class ReportOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a report is to tell: a `period` (2025, 2025-03), or `from` and `to`; of a place, as known at a moment."""

    period: str | None = None
    start: str | None = msgspec.field(name="from", default=None)
    end: str | None = msgspec.field(name="to", default=None)
    lang: Literal["ko", "en"] = "ko"
    place: str = "city"
    level: float = 0.9
    known_at: str | None = None


class ReportFile(msgspec.Struct, frozen=True):
    """A file of a bundle, and its size in bytes."""

    name: str
    bytes: int


class ReportJob(msgspec.Struct, frozen=True):
    """How a report stands: working, done or failed; its files once it is done, or what went wrong."""

    id: str
    status: Literal["working", "done", "failed"]
    report: str
    job: str
    files: list[ReportFile]
    code: str | None = None
    problem: str | None = None


class ReportsListed(msgspec.Struct, frozen=True):
    """The reports that are kept, and those that are made."""

    reports: list[ReportJob]


class ReportVerified(msgspec.Struct, frozen=True):
    """Whether a bundle's every figure was recomputed from the city's stores; what differs, with why."""

    verified: bool
    differing_figures: int
    touched: list[str]
    differences: list[dict[str, str | None]]
    known_at: str


class ReportsPart:
    """A part of the site: reports of the whole city, for its own desk."""

    def __init__(self, city: City) -> None:
        """Keep bundles in the city's folder; what is being made is forgotten when the site ends."""
        self._city = city
        self._folder = city.folder / FOLDER
        self._working: ThreadPoolExecutor | None = None
        self._jobs: dict[str, Future[None]] = {}

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes; errors of ours that they raise are answered as problems."""
        return (
            Route(REPORTS, self._order, methods=["POST"]),
            Route(REPORTS, self._list, methods=["GET"]),
            Route(VERIFY, self._verify, methods=["POST"]),
            Route(ONE, self._show, methods=["GET"]),
            Route(JOB, self._show, methods=["GET"]),
            Route(FILE, self._file, methods=["GET"]),
            Route(BUNDLE, self._bundle, methods=["GET"]),
        )

    @property
    def paths(self) -> Mapping[str, Any]:
        """OpenAPI path items by address."""
        return described()

    @property
    def schemas(self) -> Mapping[str, Any]:
        """OpenAPI schemas by name."""
        types = [ReportOrder, ReportJob, ReportsListed, ReportVerified]
        return msgspec.json.schema_components(types, ref_template=REF)[1]

    def running(self) -> AbstractAsyncContextManager[None]:
        """Work while the site runs."""
        return self._running()

    @asynccontextmanager
    async def _running(self) -> AsyncGenerator[None]:
        self._working = ThreadPoolExecutor(1, "report")
        try:
            yield
        finally:
            pool, self._working = self._working, None
            pool.shutdown(wait=False, cancel_futures=True)

    async def _order(self, request: Request) -> Response:
        _nothing_asked(request)
        body = await request.body()
        if len(body) > MOST_BODY:
            raise TooLarge("is too long for an order.", code="too_large", place="the body", remedy="Name a period.")
        order = decoded(body, ReportOrder)
        asked = ReportFigures(
            *span_said(order.period, order.start, order.end), order.place, order.level, order.known_at
        )  # fmt: skip
        self._city.registry().need_place(order.place)
        if self._working is None or sum(not one.done() for one in self._jobs.values()) >= MOST_WAITING:
            raise CityError("reports are being made already.", code="busy", remedy="Order it again when one is done.")
        number = secrets.token_hex(8)
        self._jobs[number] = self._working.submit(partial(self._make, asked, order.lang, self._folder / number))
        job = self._job(number)
        headers = {"Location": job.job, "Cache-Control": "no-store"}
        return Response(msgspec.json.encode(job), 202, media_type=JSON, headers=headers)

    def _make(self, asked: ReportFigures, lang: str, folder: Path) -> None:
        found = _REPORTED.decode(report_figures(self._city, asked, no_progress).document)
        bundled(found, asked.level, lang, folder, no_progress)

    def _job(self, number: str) -> ReportJob:
        """Say how a report stands; raises NotFound for one that is none."""
        folder, making = self._folder / number, self._jobs.get(number)
        known = ID.fullmatch(number) is not None and (making is not None or (folder / "bundle.json").is_file())
        if not known:
            raise NotFound(f"there is no report {number!r}.", code="no_such_report", remedy=f"See GET {REPORTS}.")
        where = (ONE.format(id=number), JOB.format(id=number))
        if making is not None and not making.done():
            return ReportJob(number, "working", *where, [])
        error = making.exception() if making is not None else None
        if error is not None:
            said = error if isinstance(error, QuintetError) else None
            words = (
                str(said) if said else f"the report could not be made ({type(error).__name__}); the city is untouched."
            )
            return ReportJob(number, "failed", *where, [], said.code if said else "internal", words)
        files = [ReportFile(one.name, one.stat().st_size) for one in sorted(folder.iterdir())]
        return ReportJob(number, "done", *where, files)

    async def _list(self, request: Request) -> Response:
        _nothing_asked(request)
        kept = {one.parent.name for one in self._folder.glob("*/bundle.json") if ID.fullmatch(one.parent.name)}
        found = [self._job(number) for number in sorted(kept | self._jobs.keys())]
        return _tagged(request, msgspec.json.encode(ReportsListed(found)), JSON)

    async def _show(self, request: Request) -> Response:
        _nothing_asked(request)
        return _tagged(request, msgspec.json.encode(self._job(request.path_params["id"])), JSON)

    def _done(self, request: Request) -> tuple[Path, list[str]]:
        """Give a finished report's folder and the names of its files; raises NotFound where it is not finished."""
        _nothing_asked(request)
        job = self._job(request.path_params["id"])
        if job.status != "done":
            raise NotFound(f"is {job.status}.", code="report_not_done", place=job.id, remedy=f"See GET {job.job}.")
        return self._folder / job.id, [one.name for one in job.files]

    async def _file(self, request: Request) -> Response:
        folder, names = self._done(request)
        name = request.path_params["name"]
        if name not in names:
            raise NotFound(f"there is no file {name!r}.", code="no_such_file", remedy=f"There are {', '.join(names)}.")
        body = await run_in_threadpool((folder / name).read_bytes)
        return _tagged(request, body, MEDIA.get(Path(name).suffix, SHEETS), name)

    async def _bundle(self, request: Request) -> Response:
        folder, names = self._done(request)
        body = await run_in_threadpool(_zipped, folder, names)
        return _tagged(request, body, "application/zip", f"report-{folder.name}.zip")

    async def _verify(self, request: Request) -> Response:
        folder, _ = self._done(request)
        return Response(await run_in_threadpool(self._recompute, folder), media_type=JSON)

    def _recompute(self, folder: Path) -> bytes:
        bundle = read_bundle(folder)
        said = bundle.question
        asked = ReportFigures(said.start, said.end, said.place, said.level, said.known_at)
        now = _REPORTED.decode(report_figures(self._city, asked, no_progress).document)
        return verified(folder, bundle, now).document


def _zipped(folder: Path, names: Sequence[str]) -> bytes:
    """Pack a bundle, with no moment of packing in it; raises BadInput where a file is not as the bundle says."""
    touched = damage_of(folder, read_bundle(folder))
    if touched:
        raise BadInput(
            f"{', '.join(touched)} changed since it was made.", code="bad_bundle", place=folder.name,
            remedy="Make the report anew.",
        )  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), (folder / name).read_bytes())
    return out.getvalue()


def _tagged(request: Request, body: bytes, media: str, name: str | None = None) -> Response:
    headers = {"Cache-Control": "private, no-cache", "ETag": etag_of(body)}
    if matches(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if name is not None:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(body, media_type=media, headers=headers)


def _nothing_asked(request: Request) -> None:
    if request.query_params:
        raise unknown_parameters(sorted(request.query_params), [])


def described() -> dict[str, Any]:
    """Give the OpenAPI path items of reports."""

    def json_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
        return {JSON: {"schema": {"$ref": REF.format(name=kind.__name__)}}}

    raw = {"schema": {"type": "string", "format": "binary"}}
    any_file = dict.fromkeys(("application/pdf", SHEETS), raw) | {JSON: {"schema": {}}}
    order = _item("post_reports", "Order a report.", "202", "It is being made; see its job.", json_of(ReportJob))
    order["requestBody"] = {"required": True, "content": json_of(ReportOrder)}
    for status in ("413", "422", "503"):
        order["responses"][status] = {"description": "Refused.", **PROBLEM}
    tell: Callable[..., dict[str, Any]] = partial(_item, status="200")
    return {
        REPORTS: {
            "post": order,
            "get": tell("get_reports", "List the reports.", said="Them.", content=json_of(ReportsListed)),
        },
        VERIFY: {
            "post": tell(
                "post_report_verify", "Recompute a report's figures.", said="What came of it.",
                content=json_of(ReportVerified), path=("id",),
            )
        },
        ONE: {"get": tell("get_report", "How a report stands.", said="It.", content=json_of(ReportJob), path=("id",))},
        JOB: {"get": tell("get_job", "How a job stands.", said="It.", content=json_of(ReportJob), path=("id",))},
        FILE: {"get": tell("get_report_file", "One file.", said="It.", content=any_file, path=("id", "name"))},
        BUNDLE: {
            "get": tell(
                "get_report_bundle", "The whole bundle.", said="It, zipped.", content={"application/zip": raw},
                path=("id",),
            )
        },
    }  # fmt: skip


def _item(
    name: str, summary: str, status: str, said: str, content: Mapping[str, Any], path: Sequence[str] = ()
) -> dict[str, Any]:
    parameters = [
        {"name": one, "in": "path", "required": True, "description": f"The {one}.", "schema": {"type": "string"}}
        for one in path
    ]
    responses: dict[str, Any] = {status: {"description": said, "content": dict(content)}}
    if name.startswith("get_"):
        responses["304"] = {"description": "Nothing has changed."}
    responses |= {one: {"description": "Refused.", **PROBLEM} for one in ("400", "404", "422")}
    return {"summary": summary, "operationId": name, "parameters": parameters, "responses": responses}
