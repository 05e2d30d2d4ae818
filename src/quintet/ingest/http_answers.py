"""What the HTTP door answers, and how it describes that (OpenAPI): made from the same types."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
import pyarrow as pa

REF = "#/components/schemas/{name}"
PROBLEM = {"content": {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}}}


class Rejected(msgspec.Struct, frozen=True):
    """A row that was not taken: its index in the body, counted from 0 (null: not one row's fault), and why."""

    index: int | None
    code: str
    reason: str


class ReadingsTaken(msgspec.Struct, frozen=True):
    """What became of readings; each one sent is accepted, duplicate or quarantined.

    `batch` holds them (0: nothing was new). `rejected` names rows in quarantine, the first where there are many, and
    `rejected_total` counts all. `repeated`: the answer of an earlier request with the same Idempotency-Key.
    `ignored_fields`: names in this body that nobody reads, such as a misspelt one.
    """

    batch: int
    accepted: int
    duplicate: int
    quarantined: int
    rejected: list[Rejected]
    rejected_total: int
    repeated: bool
    ignored_fields: list[str]


class MetersTaken(msgspec.Struct, frozen=True):
    """What became of a list of meters: channels that are new, statements made of them, rows that were not taken."""

    registered: int
    changed: int
    rejected: list[Rejected]
    rejected_total: int


def rejected(problems: pa.Table, most: int) -> list[Rejected]:
    """Name the first rows of a QUARANTINE table, in order of the body."""
    first = problems.select(["row", "code", "reason"]).sort_by("row").slice(0, most).to_pylist()
    return [Rejected(None if row["row"] is None else row["row"] - 1, row["code"], row["reason"]) for row in first]


def schemas() -> dict[str, Any]:
    """Give the OpenAPI schemas of the answers."""
    _, found = msgspec.json.schema_components([ReadingsTaken, MetersTaken], ref_template=REF)
    return found


def operation(
    name: str,
    summary: str,
    *,
    answer: type[msgspec.Struct],
    bodies: dict[str, Any],
    headers: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Describe an address that is sent to."""
    said = {"description": (answer.__doc__ or "").split("\n")[0]}
    refused: dict[str, dict[str, Any]] = {
        str(status): {"description": HTTPStatus(status).phrase, **PROBLEM} for status in REFUSED
    }
    for status in WAIT:
        refused[str(status)]["headers"] = {
            "Retry-After": {"description": "Seconds to wait before the same is sent again.", "schema": WHOLE}
        }
    return {
        "summary": summary,
        "operationId": name,
        "security": [{"token": []}],
        "parameters": list(headers),
        "requestBody": {"required": True, "content": bodies},
        "responses": {
            "200": {**said, "content": {"application/json": {"schema": {"$ref": REF.format(name=answer.__name__)}}}},
            **refused,
        },
    }


WHOLE = {"type": "integer", "minimum": 1}
REFUSED = (400, 401, 403, 408, 413, 415, 422, 429, 500, 503)
WAIT = (429, 503)
