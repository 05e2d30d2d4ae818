"""The PDF of a report: tagged for accessibility (PDF/UA-1), with the Korean font that ships; the same every time."""

import json
import tempfile
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import typst

from quintet.terms.errors import CityError

from .report_pages import blocks_of, title_of
from .report_words import words_of

LAYOUT = "report.typ"
FONTS = ("NanumGothic.ttf", "NanumGothicBold.ttf")
UA = "ua-1"


def pdf_of(figures: dict[str, Any], basis: dict[str, Any], lang: str) -> bytes:
    """Give the PDF's bytes; raises CityError where the font did not ship."""
    words = words_of(lang)
    moment = datetime.fromisoformat(figures["known_at"])
    data = {
        "title": title_of(figures, lang), "author": figures[f"city_{lang}"], "lang": lang, "page": words["page"],
        "foot": words["known_at"].format(moment=figures["known_at"]), "blocks": blocks_of(figures, basis, lang),
    }  # fmt: skip
    return drawn(data, int(moment.timestamp()))


def drawn(data: dict[str, Any], moment_s: int) -> bytes:
    """Lay blocks out; `moment_s` is the date that the PDF bears, so that it is no other on another day."""
    shipped = files("quintet.app").joinpath("data")
    with as_file(shipped) as folder, tempfile.TemporaryDirectory(prefix="quintet-report-") as work:
        fonts = font_folder(folder)
        (Path(work) / LAYOUT).write_bytes((folder / LAYOUT).read_bytes())
        (Path(work) / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        compiler = typst.Compiler(
            input=str(Path(work) / LAYOUT), root=work, font_paths=[str(fonts)], ignore_system_fonts=True
        )  # fmt: skip
        try:
            out = compiler.compile(format="pdf", pdf_standards=UA, timestamp=moment_s)
        except typst.TypstError as error:
            raise CityError(
                f"the layout could not be drawn: {error}", code="report_failed", place=LAYOUT,
                remedy="Report this with the program's version.",
            ) from error  # fmt: skip
    assert isinstance(out, bytes)
    return out


def need_fonts() -> None:
    """Raise CityError where a report's font did not ship, before anything else is made."""
    with as_file(files("quintet.app").joinpath("data")) as folder:
        font_folder(folder)


def font_folder(data: Path) -> Path:
    """Give the folder of the Korean font; raises CityError where it did not ship, for nothing stands in for it."""
    folder = data / "fonts"
    missing = [name for name in FONTS if not (folder / name).is_file()]
    if missing:
        raise CityError(
            f"the Korean font is not here ({', '.join(missing)}).", code="no_font", place=str(folder),
            remedy="It ships with the wheel and is not committed: in a checkout `make fonts` fetches it.",
        )  # fmt: skip
    return folder
