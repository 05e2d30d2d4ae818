"""`quintet report build`: figures asked of the city, made into a PDF, an XLSX and the bundle that proves them."""

from pathlib import Path
from typing import Any

import msgspec

from .answer import Answer, Progress, Step, document_of
from .cells import rows_of
from .report_bundle import PAGES, SHEETS, Question, Reported, exact, made_folder, write_bundle
from .report_pdf import need_fonts, pdf_of
from .report_xlsx import xlsx_of
from .requests import ReportFigures
from .run import run

COLUMNS = ["file", "bytes"]
_REPORTED = msgspec.json.Decoder(Reported)


def reported(city: Path, asked: ReportFigures, progress: Progress) -> Reported:
    """Ask a city, wherever it is owned, for a report's figures."""
    answers: list[Answer] = []
    run(city, asked, progress, answers.append)
    return _REPORTED.decode(answers[0].document)


def build(city: Path, asked: ReportFigures, lang: str, out: Path, progress: Progress) -> Answer:
    """Make a report in a new folder; raises UsageError where that is taken, CityError where it cannot be written."""
    need_fonts()
    made_folder(out)
    return bundled(reported(city, asked, progress), asked.level, lang, out, progress)


def documents(figures: Any, basis: Any, lang: str, progress: Progress) -> dict[str, bytes]:
    """Make the sheets and the pages of figures, by file name: the same figures give the same bytes."""
    progress(Step("xlsx"))
    files = {SHEETS: xlsx_of(figures, basis, lang)}
    progress(Step("pdf"))
    return {**files, PAGES.format(lang=lang): pdf_of(figures, basis, lang)}


def bundled(found: Reported, level: float, lang: str, out: Path, progress: Progress) -> Answer:
    """Write a report's figures as a bundle; raises as `build` does."""
    made_folder(out)
    raw = bytes(found.figures)
    figures, basis = exact(raw), exact(bytes(found.basis))
    files = documents(figures, basis, lang, progress)
    question = Question(figures["place"], figures["from"], figures["to"], figures["known_at"], level)
    names = {name: figures[name] for name in ("city_en", "city_ko")}
    write_bundle(out, raw, bytes(found.basis), question, names, files)
    rows = [{"file": one.name, "bytes": one.stat().st_size} for one in sorted(out.iterdir())]
    document = {"out": str(out), "known_at": figures["known_at"], "data": basis["data"], "files": rows}
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of(document), numbers=["bytes"], title=str(out))
