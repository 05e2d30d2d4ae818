"""The published description holds for whoever asks: requests made from it, fit and unfit, as somebody and as nobody.

Made by schemathesis. Left out is its demand that whatever fits the description is answered with 2xx: a description
cannot say which dwellings there are, nor that one moment lies before another.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from .asking import LAST, streams
from .peopled import Hand, Peopled, made
from .strangers import strangers

EXAMPLES = 2
"""Requests an operation in the short form; the long form makes fifty times as many."""
KILLS = int(os.environ.get("QUINTET_KILLS", "0"))
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.ignored_auth,
    checks.use_after_free,
]
WHO = ("owner", "household", "nobody", "operator-c1-1")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Peopled]:
    hand = Hand()
    out = Peopled(made(tmp_path / "city", hand), hand)
    yield out
    out.close()


def documented(ctx: object, response: object, case: object) -> None:
    """Fail for an error of the server that the description does not name: 503 may say that something is not set up."""
    said = case.operation.definition.raw["responses"]  # type: ignore[attr-defined]
    if response.status_code != 503 or "503" not in said:  # type: ignore[attr-defined]
        not_a_server_error(ctx, response, case)  # type: ignore[arg-type]


def faults_of(
    operation: APIOperation, headers: dict[str, str], cookies: dict[str, str], examples: int
) -> tuple[int, set[str]]:
    """Ask an operation so many times; give how many answers came, and what was wrong with them."""
    wrong: set[str] = set()
    asked = 0

    @settings(
        max_examples=examples, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        nonlocal asked
        asked += 1
        try:
            case.call_and_validate(headers=headers, cookies=cookies, checks=[documented, *CHECKS])
        except FailureGroup as failures:
            wrong.update(f"{operation.label}: {type(one).__name__}: {one}" for one in failures.exceptions)

    ask()
    return asked, wrong


def run(town: Peopled, who: str, examples: int) -> tuple[int, set[str]]:
    everyone = {one.name: one for one in strangers(town)}
    shown = everyone[who].client.headers
    headers = {name.title(): value for name, value in shown.items() if name in WANTED}
    cookies = dict([shown["cookie"].split("=", 1)]) if "cookie" in shown else {}  # apart: the checks take it away
    config = SchemathesisConfig()
    schema = schemathesis.openapi.from_url(f"{town.origin}/openapi.json", config=config)
    asked, wrong = 0, set[str]()
    for found in schema.get_all_operations():
        operation = found.ok()
        said = operation.definition.raw
        if said["operationId"] not in LAST and not streams(said):
            more, faults = faults_of(operation, headers, cookies, examples)
            asked, wrong = asked + more, wrong | faults
    return asked, wrong


WANTED = {"authorization", "origin", "quintet-reason"}


@pytest.mark.parametrize("who", WHO[:3])
def test_every_answer_is_as_published_and_nothing_is_open_by_mistake(town: Peopled, who: str) -> None:
    asked, wrong = run(town, who, EXAMPLES)
    assert asked > 100
    assert not wrong, "\n\n".join(sorted(wrong))


def test_an_operation_that_lets_anybody_in_is_found(town: Peopled, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can fail: where nobody is asked who he is, it says so."""
    open_to_all: Callable[[object], object] = lambda keeper: keeper._local  # noqa: E731
    monkeypatch.setattr(type(town.keeper), "local", open_to_all)
    _, wrong = run(town, "owner", 2)
    assert any("IgnoredAuth" in one for one in wrong), wrong


@pytest.mark.soak
@pytest.mark.parametrize("who", WHO)
def test_fifty_times_as_many(town: Peopled, who: str) -> None:
    asked, wrong = run(town, who, EXAMPLES * (50 if KILLS >= 100 else 2))
    print(f"{who}: {asked} requests made from the description, {len(wrong)} kinds of faults")
    assert not wrong, "\n\n".join(sorted(wrong))
