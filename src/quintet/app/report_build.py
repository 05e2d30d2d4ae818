"""`quintet report build`: figures asked of the city, made into a PDF, an XLSX and the bundle that proves them."""

from pathlib import Path

import msgspec

from .answer import Answer, Progress, Step, document_of
from .cells import rows_of
from .report_bundle import Question, Reported, exact, made_folder, write_bundle
from .report_pdf import pdf_of
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
    made_folder(out)
    found = reported(city, asked, progress)
    raw = bytes(found.figures)
    figures, basis = exact(raw), exact(bytes(found.basis))
    progress(Step("xlsx"))
    files = {"report.xlsx": xlsx_of(figures, basis, lang)}
    progress(Step("pdf"))
    files[f"report-{lang}.pdf"] = pdf_of(figures, basis, lang)
    question = Question(figures["place"], figures["from"], figures["to"], figures["known_at"], asked.level)
    names = {name: figures[name] for name in ("city_en", "city_ko")}
    write_bundle(out, raw, bytes(found.basis), question, names, files)
    rows = [{"file": one.name, "bytes": one.stat().st_size} for one in sorted(out.iterdir())]
    document = {"out": str(out), "known_at": figures["known_at"], "data": basis["data"], "files": rows}
    return Answer(COLUMNS, rows_of(COLUMNS, rows), document_of(document), numbers=["bytes"], title=str(out))
