"""A tree page by page: together the pages are the whole, of one moment; a cursor continues its own question only."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from quintet.access import EVERYTHING
from quintet.app import requests
from quintet.app.answer import no_progress
from quintet.app.city import City
from quintet.app.operations import answer_request
from quintet.terms.errors import UsageError
from quintet.views.asked import cursor_after
from quintet.views.questions_books import BooksQuestions

from .ledger_city import made, send

SPAN = ("2022-03-28", "2022-03-31", "day")


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    city = made(tmp_path / "city")
    yield city
    city.close()


def tree(city: City, **how: Any) -> Any:
    asked = requests.Balance(*SPAN, "city", tree=True, **how)
    return answer_request(city, asked, no_progress).read()


def test_pages_together_are_the_whole_and_of_the_moment_of_the_first(city: City) -> None:
    whole = tree(city)
    rows: list[Any] = []
    cursor, pages = None, 0
    while pages == 0 or cursor is not None:
        told = tree(city, limit=20, cursor=cursor)
        assert told["rows"], "a page holds at least one place"
        assert {row["place"] for row in told["rows"]}.isdisjoint({row["place"] for row in rows}), "places are whole"
        assert told["known_at"] == whole["known_at"]
        rows, cursor, pages = rows + told["rows"], told["next_cursor"], pages + 1
        send(city, {"homes": 500.0}, range(3))  # what comes between two pages is in none of them
    assert pages > 2
    assert rows == whole["rows"]
    assert tree(city)["rows"] != whole["rows"]
    assert "next_cursor" not in whole


def test_a_place_that_is_larger_than_a_page_comes_alone(city: City) -> None:
    told = tree(city, limit=1)
    assert {row["place"] for row in told["rows"]} == {"city"}
    assert len(told["rows"]) == 12
    assert tree(city, limit=100_000)["next_cursor"] is None


def test_a_cursor_continues_its_own_question_alone(city: City) -> None:
    cursor = tree(city, limit=1)["next_cursor"]
    for wrong in ({"cursor": cursor}, {"limit": 1, "cursor": cursor, "level": "building"}, {"limit": 1, "cursor": "x"}):
        with pytest.raises(UsageError) as told:
            tree(city, **wrong)
        assert told.value.code == "bad_cursor"
    padded = cursor + "=" * (-len(cursor) % 4)
    *question, said = msgspec.json.decode(base64.urlsafe_b64decode(padded))
    with pytest.raises(UsageError) as told:
        tree(city, limit=1, cursor=cursor_after(question, f"{'9' * 25} {said.split()[1]}"))
    assert told.value.code == "bad_cursor", "a moment that is none"
    with pytest.raises(UsageError) as told:
        tree(city, limit=0)
    assert told.value.code == "bad_limit"


def test_over_http_the_pages_are_the_same(city: City) -> None:
    books = BooksQuestions(city.access(EVERYTHING))
    whole = books.tree(*SPAN)
    assert whole.next_cursor is None
    first = books.tree(*SPAN, level="building", limit=1)
    second = books.tree(*SPAN, level="building", limit=1, cursor=first.next_cursor)
    assert [{row.place for row in one.rows} for one in (first, second)] == [{"d1/b1"}, {"d1/b2"}]
    assert [*first.rows, *second.rows] == [row for row in whole.rows if row.place in {"d1/b1", "d1/b2"}]
    assert second.next_cursor is None
