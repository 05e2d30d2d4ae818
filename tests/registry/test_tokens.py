"""Tokens: proved by their secret alone, told without it, counted from the next request on, there after a restart."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.registry.tokens import Tokens
from quintet.store.engine import Engine
from quintet.terms.errors import Forbidden, NotFound, Unknown, UsageError


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    out = Engine.open(tmp_path_factory.mktemp("tokens"), "UTC")
    yield out
    out.close()


@pytest.fixture
def tokens(engine: Engine) -> Tokens:
    return Tokens(engine)


def test_a_token_proves_its_source_and_its_rights(tokens: Tokens) -> None:
    made, text = tokens.create("shed.7", ("readings",), actor="me")
    assert tokens.admit(f"Bearer {text}", "readings") == "shed.7"
    assert tokens.admit(f"bearer {text}", "readings") == "shed.7"
    with pytest.raises(Forbidden) as refused:
        tokens.admit(f"Bearer {text}", "meters")
    assert refused.value.status == 403
    assert made in tokens.listed()
    both, text = tokens.create("office", ("meters", "readings"), actor="me")
    assert both.may == ("readings", "meters")
    assert tokens.admit(f"Bearer {text}", "meters") == "office"


def test_what_proves_nothing_is_refused(tokens: Tokens) -> None:
    made, text = tokens.create("shed", actor="me")
    secret = text.rpartition("_")[2]
    other = tokens.create("other", actor="me")[1]
    wrong = (
        *("", "Bearer", f"Basic {text}", text, f"Bearer {text}x", f"Bearer {text[:-1]}", f"Bearer {secret}"),
        *(f"Bearer qnt_{made.id}_{'A' * 43}", f"Bearer qnt_{'0' * 12}_{secret}", f"Bearer {other[:16]}_{secret}"),
        f"Bearer {text} {text}",
    )
    for header in wrong:
        with pytest.raises(Unknown) as refused:
            tokens.admit(header, "readings")
        assert refused.value.status == 401
        assert secret not in str(refused.value)


@given(st.text(max_size=120))
def test_no_made_up_header_is_let_in(engine: Engine, header: str) -> None:
    with pytest.raises(Unknown):
        Tokens(engine).admit(header, "readings")


def test_a_revoked_token_ends_at_once_and_stays_listed(tokens: Tokens, engine: Engine) -> None:
    made, text = tokens.create("leaver", actor="me")
    ended = tokens.revoke(made.id, actor="me")
    assert ended.revoked_us is not None
    for book in (tokens, Tokens(engine)):
        with pytest.raises(Unknown):
            book.admit(f"Bearer {text}", "readings")
        assert ended in book.listed()
    before = engine.last_batch
    assert tokens.revoke(made.id, actor="me") == ended
    assert engine.last_batch == before
    with pytest.raises(NotFound):
        tokens.revoke("0" * 12, actor="me")


def test_only_the_digest_is_kept(tokens: Tokens, engine: Engine) -> None:
    made, text = tokens.create("quiet", actor="me")
    secret = text.split("_", 2)[2]
    with engine.snapshot() as snapshot:
        (body,) = snapshot.rows("select body from record where kind = 'token' and key = ?", [made.id])[0]
        everything = str(snapshot.rows("select * from record")) + str(snapshot.rows("select * from batch"))
    assert hashlib.sha256(secret.encode()).hexdigest() in body
    assert secret not in everything
    assert secret not in repr(tokens.listed())


@pytest.mark.parametrize("source", ["mqtt:c001", "", " shed", "a b", "a/b", "-x", "x" * 65, "a\n", "한 글"])
def test_a_source_has_a_name(tokens: Tokens, source: str) -> None:
    with pytest.raises(UsageError, match="no name of a source"):
        tokens.create(source, actor="me")


@pytest.mark.parametrize("may", [(), ("readings", "everything"), ("",)])
def test_rights_are_those_that_there_are(tokens: Tokens, may: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"right|may do nothing"):
        tokens.create("shed", may, actor="me")


def test_they_are_there_after_a_restart(tmp_path: Path) -> None:
    engine = Engine.open(tmp_path, "UTC")
    made, text = Tokens(engine).create("나주:1", actor="me")
    engine.close()
    again = Engine.open(tmp_path, "UTC")
    book = Tokens(again)
    assert book.admit(f"Bearer {text}", "readings") == "나주:1"
    assert book.listed() == [made]
    again.close()
