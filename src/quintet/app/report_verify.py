"""`quintet report verify`: a bundle's figures recomputed from a city's stores, and what differs, with the cause."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from .answer import Answer, Progress, document_of, no_progress
from .cells import plain, rows_of
from .report_build import documents, reported
from .report_bundle import (
    FACTORS,
    PAGES,
    Basis,
    Bundle,
    Reported,
    basis_of,
    damage_of,
    exact,
    figures_of,
    read_bundle,
    text_digest,
    unlisted,
)
from .report_words import LANGUAGES
from .requests import ReportFigures

COLUMNS = ["what", "bundle", "city", "why"]
NAMED = 20
"""Differing figures that are named; all are counted."""
Difference = dict[str, str | None]


def verify(city: Path, folder: Path, progress: Progress) -> Answer:
    """Recompute a bundle from a city, as known at the bundle's moment; raises BadInput for what is no bundle."""
    bundle = read_bundle(folder)
    asked = bundle.question
    request = ReportFigures(asked.start, asked.end, asked.place, asked.level, asked.known_at)
    return verified(folder, bundle, reported(city, request, progress), progress)


def verified(folder: Path, bundle: Bundle, reported: Reported, progress: Progress = no_progress) -> Answer:
    """Compare a bundle with its question's answer now; exit code 1 where anything but the program differs."""
    touched = damage_of(folder, bundle)
    now, factors = basis_of(bytes(reported.basis))
    said = figures_of(folder)
    figures = [] if said is None else list(differing("", said, exact(bytes(reported.figures))))
    causes = list(causes_of(bundle.basis, now))
    why = reason_of(causes, touched)
    files = [_cause(name, "lies there", None, UNLISTED) for name in unlisted(folder, bundle)]
    if not (touched or said is None or figures):
        files += forged(bundle, reported, factors, progress)
    rows: list[Difference] = [_touched(name) for name in touched]
    rows += [*causes, *(_cause(path, one, other, why) for path, one, other in figures[:NAMED]), *files]
    failed = bool(touched or said is None or figures or any(one["why"] not in HARMLESS for one in (*causes, *files)))
    if failed:
        count = len(touched) + sum(one["why"] not in HARMLESS for one in files)
        note = f"{len(figures):,} figures differ, {count} files were touched: this bundle is not confirmed."
    else:
        note = f"Every figure was recomputed to the last digit, as known at {bundle.question.known_at}."
    document = {
        "verified": not failed, "differing_figures": len(figures), "touched": touched, "differences": plain(rows),
        "known_at": bundle.question.known_at,
    }  # fmt: skip
    return Answer(
        COLUMNS, rows_of(COLUMNS, rows), document_of(document), notes=[note], exit_code=int(failed)
    )  # fmt: skip


def forged(bundle: Bundle, reported: Reported, factors: bytes, progress: Progress) -> Iterator[Difference]:
    """Make a bundle's other files anew from the recomputed figures, and name those that are not the same bytes.

    Where the versions of the program differ the sheets and pages may too: that is said as such.
    """
    if bundle.files.get(FACTORS) != text_digest(factors):
        yield _cause(FACTORS, bundle.files.get(FACTORS), text_digest(factors), FORGED)
    figures = exact(bytes(reported.figures))
    # what of the foundations differs is told apart: the pages are made with what the bundle says of them
    basis = {**exact(bytes(reported.basis)), **msgspec.to_builtins(bundle.basis)}
    for name, stated in sorted(bundle.city.items()):
        if stated != figures.get(name):
            yield _cause(f"city {name}", stated, figures.get(name), FORGED)
    same = basis_of(bytes(reported.basis))[0].software == bundle.basis.software
    for lang in LANGUAGES:
        if PAGES.format(lang=lang) not in bundle.files:
            continue
        for name, content in documents(figures, basis, lang, progress).items():
            if bundle.files.get(name) != text_digest(content):
                yield _cause(name, bundle.files.get(name), text_digest(content), FORGED if same else SOFTWARE)


TOUCHED = "the file is not as the bundle says: it was changed after it was made"
FORGED = "made anew from the same figures it is another file: it was changed, digests and all"
UNLISTED = "bundle.json does not name it"
RULES, SOFTWARE = "other rules, thresholds or estimators are in force", "another version of the program"
HARMLESS = (RULES, SOFTWARE)
"""Differences that fail nothing by themselves: the figures decide."""


def causes_of(bundle: Basis, city: Basis) -> Iterator[Difference]:
    """Say in what two answers' foundations differ."""
    if bundle.batch != city.batch:
        yield _cause("batch", bundle.batch, city.batch, "the store holds other deliveries up to that moment")
    days = sorted(
        day for day in bundle.days.keys() | city.days.keys() if bundle.days.get(day) != city.days.get(day)
    )  # fmt: skip
    if days or bundle.data != city.data:
        shown = f"{' '.join(days[:NAMED])}{' ...' if len(days) > NAMED else ''}"
        yield _cause("data", bundle.data, city.data, f"the readings of {len(days)} days differ: {shown}")
    if bundle.registry != city.registry:
        yield _cause("registry", bundle.registry, city.registry, "places, meters or networks are registered otherwise")
    if bundle.factor_set != city.factor_set:
        one, other = (f"{basis.factor_set['name']} {basis.factor_set['digest']}" for basis in (bundle, city))
        yield _cause("factor_set", one, other, "the factors of that moment differ, or others ship")
    if bundle.rule_set != city.rule_set:
        yield _cause("rule_set", bundle.rule_set, city.rule_set, RULES)
    for name in sorted(bundle.software.keys() | city.software.keys()):
        one, other = bundle.software.get(name), city.software.get(name)
        if one != other:
            yield _cause(f"software {name}", one, other, SOFTWARE)


def _touched(name: str) -> Difference:
    return {"what": name, "bundle": "touched", "city": None, "why": TOUCHED}


def _cause(what: str, bundle: object, city: object, why: str) -> Difference:
    return {"what": what, "bundle": str(bundle), "city": str(city), "why": why}


def reason_of(causes: list[Difference], touched: list[str]) -> str:
    """Say why figures differ, as far as their foundations tell."""
    known = [str(one["what"]) for one in causes]
    if touched:
        known = ["the bundle was changed", *known]
    return ", ".join(known) or "the bundle was changed, digests and all: its foundations are those of the city"


def differing(path: str, bundle: Any, city: Any) -> Iterator[tuple[str, str, str]]:
    """Give each leaf at which two documents differ: where, and what either says."""
    if isinstance(bundle, dict) and isinstance(city, dict):
        for key in sorted(bundle.keys() | city.keys()):
            yield from differing(f"{path}/{key}", bundle.get(key, ABSENT), city.get(key, ABSENT))
    elif isinstance(bundle, list) and isinstance(city, list):
        for at in range(max(len(bundle), len(city))):
            one, other = (part[at] if at < len(part) else ABSENT for part in (bundle, city))
            yield from differing(f"{path}/{at}", one, other)
    elif type(bundle) is not type(city) or str(bundle) != str(city):
        yield path, str(bundle), str(city)


ABSENT = "nothing"
