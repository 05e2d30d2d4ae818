"""Every failure becomes one sentence; what nobody foresaw is logged."""

import errno
from pathlib import Path

import duckdb
import pytest

from quintet.app.door import Failure, explain, from_os_error, guarded
from quintet.terms.errors import BadInput, UsageError


def _raise(error: Exception) -> None:
    raise error


def test_a_result_passes() -> None:
    assert guarded(lambda: 5) == 5


def test_an_error_for_people_keeps_its_parts() -> None:
    error = BadInput("lacks value.", code="missing_column", place="a.csv", remedy="Add it.")
    failure = guarded(lambda: _raise(error))
    assert failure == Failure("lacks value.", "missing_column", "a.csv", "Add it.", 1)
    assert failure.line() == "a.csv: lacks value. Add it."
    assert explain(UsageError("no", code="x")).exit_code == 2


def test_a_sentence_is_one_line() -> None:
    assert "\n" not in explain(BadInput("two\nlines", code="x")).line()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EACCES, "no_permission"),
        (errno.EROFS, "no_permission"),
        (errno.ENOENT, "no_such_file"),
        (errno.EIO, "system_error"),
    ],
)
def test_errors_of_the_system_name_the_file(number: int, code: str) -> None:
    failure = explain(OSError(number, "words", "/some/file"))
    assert (failure.code, failure.place) == (code, "/some/file")
    assert failure.remedy


def test_an_error_without_a_number_is_still_words() -> None:
    assert from_os_error(OSError("odd")).message == "odd."


def test_the_databases_own_errors_of_input_and_output_are_words(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_bytes(b"no database" * 1000)
    with pytest.raises(duckdb.Error) as broken:
        duckdb.connect(str(tmp_path / "x.duckdb"))
    failure = explain(broken.value)
    assert failure.code == "store_io"
    assert "quintet doctor" in failure.remedy
    full = explain(duckdb.IOException("Could not write file: No space left on device"))
    assert full.code == "disk_full"
    for said, code in (("File too large", "disk_full"), ("Input/output error", "store_io")):
        failed = explain(duckdb.TransactionException(f'Failed to commit: Could not write file "x.wal": {said}'))
        assert failed.code == code, said


def test_what_nobody_foresaw_is_logged_privately() -> None:
    failure = guarded(lambda: _raise(ZeroDivisionError("by zero")))
    assert isinstance(failure, Failure)
    assert failure.code == "unexpected"
    log = Path(failure.remedy.split("details are in ")[1].split(";")[0])
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    log.unlink()


def test_where_no_log_can_be_written_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert "could not be written" in explain(ZeroDivisionError("x")).remedy
