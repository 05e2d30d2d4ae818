"""Reading types: a cadence divides the day, a clock exists; errors say what, where and what to do."""

import pytest

from quintet.terms.errors import BadInput, CityError, Damaged, Forbidden, NotFound, QuintetError, UsageError
from quintet.terms.reading import ReadingType, Role, ValueKind, clock
from quintet.terms.tables import FLOW_NAMES, FLOWS, READINGS, SERIES


def reading(cadence: int = 15, tz: str = "Asia/Seoul") -> ReadingType:
    return ReadingType("electricity", "kWh", ValueKind.INTERVAL_SUM, Role.CONSUMPTION, cadence, tz)


@pytest.mark.parametrize("cadence", [1, 5, 15, 30, 60, 1440])
def test_a_cadence_divides_the_day(cadence: int) -> None:
    assert reading(cadence).cadence_min == cadence


@pytest.mark.parametrize("cadence", [0, -15, 7, 50, 1441, 2880])
def test_any_other_cadence_is_refused(cadence: int) -> None:
    with pytest.raises(BadInput, match="does not divide a day"):
        reading(cadence)


@pytest.mark.parametrize("name", ["Asia/Seoull", "", "../etc/passwd", "/etc/localtime", "KST\x00", "Asia"])
def test_a_clock_that_nobody_keeps_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="unknown time zone") as caught:
        reading(tz=name)
    assert caught.value.code == "unknown_tz"
    assert clock("Asia/Seoul").key == "Asia/Seoul"


def test_the_words_of_the_dataset_layout() -> None:
    assert [kind.value for kind in ValueKind] == [
        "interval_sum", "avg_power", "register_cumulative", "register_daily_reset", "event_sum", "inst_flow",
    ]  # fmt: skip
    assert {role.value for role in Role} == {
        "consumption", "generation", "import", "export", "net", "site_import", "storage", "submeter",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status", "exit_code"),
    [
        (UsageError, 400, 2),
        (BadInput, 422, 1),
        (NotFound, 404, 1),
        (Forbidden, 403, 1),
        (CityError, 503, 1),
        (Damaged, 500, 1),
    ],
)
def test_an_error_is_a_sentence_with_a_place_and_a_remedy(
    kind: type[QuintetError], status: int, exit_code: int
) -> None:
    error = kind("is wrong.", code="wrong", place="file.csv row 3", remedy="Mend it.")
    assert str(error) == "file.csv row 3: is wrong. Mend it."
    assert str(kind("is wrong.", code="wrong")) == "is wrong."
    assert (error.status, error.exit_code, error.code) == (status, exit_code, "wrong")
    assert isinstance(error, QuintetError)


def test_the_tables_between_packages_hold_whole_numbers() -> None:
    for schema in (FLOWS, SERIES):
        assert str(schema.field("value").type) == "decimal128(38, 0)"
        assert str(schema.field("start").type) == "timestamp[us, tz=UTC]"
    assert str(READINGS.field("at").type) == "timestamp[us, tz=UTC]"
    assert len(FLOW_NAMES) == 9
