"""The bundle of a report: figures, factors, files and the digests that prove them, in one folder.

figures.json     every figure, exact
factors.json     the factor set's whole content
report-LL.pdf, report.xlsx
bundle.json      the question, what the figures rest on, the digest of each file, and of all that
"""

import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from quintet.terms.errors import BadInput, CityError, UsageError

from .report_words import METHOD

BUNDLE, FIGURES, FACTORS = "bundle.json", "figures.json", "factors.json"
SHEETS, PAGES = "report.xlsx", "report-{lang}.pdf"
FORMAT = "quintet-report-1"


class Question(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """What a report was asked."""

    place: str
    start: str
    end: str
    known_at: str
    level: float


class Basis(msgspec.Struct, frozen=True):
    """What the figures rest on."""

    batch: int
    data: str
    days: dict[str, str]
    factor_set: dict[str, str]
    registry: str
    rule_set: str
    software: dict[str, str]


class Bundle(msgspec.Struct, frozen=True):
    """What bundle.json holds; `digest` is that of all the rest of it."""

    format: str
    city: dict[str, str]
    question: Question
    basis: Basis
    method: dict[str, str]
    files: dict[str, str]
    digest: str = ""


class Reported(msgspec.Struct, frozen=True):
    """A report's document as the owner gives it: the figures' bytes as they are."""

    figures: msgspec.Raw
    basis: msgspec.Raw


def text_digest(content: bytes) -> str:
    """Give the SHA-256 of bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def bundle_digest(bundle: Bundle) -> str:
    """Give the digest of what a bundle says, itself left out."""
    return text_digest(msgspec.json.encode(msgspec.structs.replace(bundle, digest=""), order="deterministic"))


def basis_of(raw: bytes) -> tuple[Basis, bytes]:
    """Read a report's basis: what is compared, and the factor set's content as text."""
    factors = json.loads(raw)["factors"]
    text = json.dumps(factors, sort_keys=True, ensure_ascii=False, indent=1)
    return msgspec.json.decode(raw, type=Basis), text.encode() + b"\n"


def made_folder(folder: Path) -> None:
    """Make a bundle's folder; raises UsageError where something is in it, CityError where it cannot be made."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("is not empty.", code="folder_taken", place=str(folder), remedy="Give a new folder as --out.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


def cannot_write(folder: Path, error: OSError) -> CityError:
    """Say that a bundle cannot be written."""
    return CityError(
        f"cannot be written: {error.strerror}.", code="report_failed", place=str(folder),
        remedy="Free space or choose another folder; the city is untouched.",
    )  # fmt: skip


def write_bundle(
    folder: Path, figures: bytes, raw_basis: bytes, question: Question, city: dict[str, str], files: dict[str, bytes]
) -> None:
    """Write a bundle's files, bundle.json last: without it there is no bundle."""
    basis, factors = basis_of(raw_basis)
    content = {FIGURES: figures, FACTORS: factors, **files}
    digests = {name: text_digest(said) for name, said in sorted(content.items())}
    bundle = Bundle(FORMAT, city, question, basis, METHOD, digests)
    bundle = msgspec.structs.replace(bundle, digest=bundle_digest(bundle))
    text = msgspec.json.format(msgspec.json.encode(bundle, order="deterministic"), indent=1)
    try:
        for name, said in content.items():
            (folder / name).write_bytes(said)
        (folder / BUNDLE).write_bytes(text + b"\n")
    except OSError as error:
        raise cannot_write(folder, error) from error


def read_bundle(folder: Path) -> Bundle:
    """Read bundle.json; raises BadInput for what is no bundle, or one of another format."""
    path = folder / BUNDLE
    try:
        bundle = msgspec.json.decode(path.read_bytes(), type=Bundle)
    except FileNotFoundError as error:
        raise BadInput(
            "is no report's bundle.", code="no_bundle", place=str(folder), remedy=f"A bundle holds {BUNDLE}."
        ) from error
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise BadInput("cannot be read.", code="bad_bundle", place=str(path), remedy="Take it anew.") from error
    if bundle.format != FORMAT:
        raise BadInput(
            f"has format {bundle.format}, this Quintet knows {FORMAT}.", code="bad_bundle", place=str(path),
            remedy="Verify it with the Quintet that it names.",
        )  # fmt: skip
    return bundle


def damage_of(folder: Path, bundle: Bundle) -> list[str]:
    """Name the files of a bundle that are not as it says, or missing; bundle.json too."""
    out = [] if bundle_digest(bundle) == bundle.digest else [BUNDLE]
    for name, digest in bundle.files.items():
        path = folder / name
        # a name that leads out of the folder is no file of the bundle
        inside = path.resolve().parent == folder.resolve()
        if not inside or not path.is_file() or text_digest(path.read_bytes()) != digest:
            out.append(name)
    return out


def unlisted(folder: Path, bundle: Bundle) -> list[str]:
    """Name what lies in a bundle's folder and is not of the bundle."""
    return sorted(one.name for one in folder.iterdir() if one.name != BUNDLE and one.name not in bundle.files)


def figures_of(folder: Path) -> Any:
    """Read a bundle's figures, exactly; None where they cannot be read."""
    try:
        return exact((folder / FIGURES).read_bytes())
    except (OSError, UnicodeDecodeError, ValueError):
        return None


def exact(content: bytes) -> Any:
    """Read JSON with every digit kept; raises ValueError for what is none."""
    return json.loads(content, parse_float=Decimal)
