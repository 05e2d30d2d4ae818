"""A table of addresses is read, answered and described by its rows alone."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.responses import Response

from quintet.terms.errors import BadInput, TooLarge, Unknown, UnknownForm, UsageError
from quintet.web.parameters import LIMIT, within
from quintet.web.rows import API, ID, MOST_BYTES, Call, Row, TablePart


class RowsTestAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number."""

    number: int


class RowsTestTold(msgspec.Struct, frozen=True):
    """A list's sum.

    Nothing of this second line is said.
    """

    sum: int


def ended(shelf: list[int], call: Call) -> RowsTestTold:
    """Give what the row does not say: its answer is none."""
    shelf.remove(int(call.id))
    return RowsTestTold(sum(shelf))


def added(shelf: list[int], call: Call) -> RowsTestTold:
    shelf.append(call.said.number)
    return RowsTestTold(sum(shelf))


def of_reader(_shelf: list[int], call: Call) -> Response:
    return Response(call.reader.id)


ROWS: tuple[Row[list[int]], ...] = (
    Row("GET", "/numbers", "get_numbers", "The sum.", None, RowsTestTold,
        lambda shelf, call: RowsTestTold(sum(shelf[: within(call.given["limit"], LIMIT)])), asked=(LIMIT,)),
    Row("POST", "/numbers", "post_numbers", "Add one.", RowsTestAsked, RowsTestTold, added, 201, statuses=(400,)),
    Row("DELETE", "/numbers/{id}", "delete_number", "Take one out.", None, None, ended, 204, (ID,), (400, 404)),
    Row("GET", "/numbers/own", "get_own", "Who asks.", None, None, of_reader),
)  # fmt: skip


def ask(method: str, path: str, **more: Any) -> httpx.Response:
    """Ask the table's addresses over a shelf of 1, 2, 3; what it refuses is raised as it is."""

    async def asked() -> httpx.Response:
        site = Starlette(routes=list(TablePart(ROWS, [1, 2, 3]).routes))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://x") as client:
            return await client.request(method, API + path, **more)

    return asyncio.run(asked())


def test_a_row_is_answered_with_its_status_its_struct_and_never_kept() -> None:
    for answer, status, said in (
        (ask("GET", "/numbers"), 200, b'{"sum":6}'),
        (ask("GET", "/numbers?limit=2"), 200, b'{"sum":3}'),
        (ask("POST", "/numbers", json={"number": 4}), 201, b'{"sum":10}'),
        (ask("DELETE", "/numbers/2"), 204, b""),
    ):
        assert (answer.status_code, answer.content) == (status, said)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers.get("content-type") == ("application/json" if said else None)


def test_what_no_row_names_is_refused_before_any_work() -> None:
    with pytest.raises(UsageError, match="of"):
        ask("DELETE", "/numbers/2?of=3")
    with pytest.raises(UsageError):
        ask("POST", "/numbers?limit=2", json={"number": 4})
    with pytest.raises(BadInput, match="unknown field `colour`") as raised:
        ask("POST", "/numbers", json={"number": 4, "colour": "red"})
    assert (raised.value.code, raised.value.place) == ("bad_body", "body")
    with pytest.raises(BadInput, match="Expected `int`"):
        ask("POST", "/numbers", json={"number": "four"})
    with pytest.raises(BadInput):
        ask("POST", "/numbers", content=b"\xff", headers={"Content-Type": "application/json"})
    with pytest.raises(UnknownForm):
        ask("POST", "/numbers", data={"number": "4"})
    with pytest.raises(TooLarge):
        ask("POST", "/numbers", content=b" " * (MOST_BYTES + 1), headers={"Content-Type": "application/json"})


def test_who_did_not_sign_in_is_told_so_where_a_row_asks_for_the_reader() -> None:
    with pytest.raises(Unknown) as raised:
        ask("GET", "/numbers/own")
    assert raised.value.code == "sign_in"


def test_a_row_describes_itself() -> None:
    part = TablePart(ROWS, list[int]())
    both = part.paths[f"{API}/numbers"]
    assert both["get"]["parameters"] == [LIMIT.published()]
    assert both["get"]["responses"].keys() == {"200", "400", "401", "403"}
    assert both["get"]["responses"]["200"]["description"] == "A list's sum."
    assert both["post"]["responses"].keys() == {"201", "400", "413", "415", "422"}
    assert both["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/RowsTestAsked")
    gone = part.paths[f"{API}/numbers/{{id}}"]["delete"]
    assert gone["parameters"] == [ID.published()]
    assert "content" not in gone["responses"]["204"]
    assert part.schemas.keys() == {"RowsTestAsked", "RowsTestTold"}
