"""The words of alerts: both languages say all that the other says, of the same figures, and no figure is lost."""

from dataclasses import replace
from datetime import UTC, datetime
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from quintet.terms.alert import Alert, alert_kinds
from quintet.terms.alert_words import LANGUAGES, check_said, said, shown, unit_of, variant, words
from quintet.terms.period import to_us

TZ = ZoneInfo("Asia/Seoul")
AT = to_us(datetime(2026, 11, 2, 18, tzinfo=UTC))
FIGURES: dict[str, Any] = {"hours": 72, "flow": 12.5, "flow_unit": "L"}
LEAK = Alert("1", "p", "water_leak", "water", AT, AT, 0, AT, FIGURES, 4300, "day", "", 0.999)


def named(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def flat(table: dict[str, Any]) -> dict[str, str]:
    """Give every sentence by its path."""
    out: dict[str, str] = {}
    for key, value in table.items():
        out |= {f"{key}.{name}": one for name, one in flat(value).items()} if isinstance(value, dict) else {key: value}
    return out


def test_both_languages_hold_the_same_sentences_of_the_same_figures() -> None:
    en, ko = (flat(dict(words(language))) for language in LANGUAGES)
    assert en.keys() == ko.keys()
    loose = {"commodity", "since", "hours"}
    for path, sentence in en.items():
        assert named(sentence) - loose == named(ko[path]) - loose, path
    assert set(alert_kinds()) <= words("en")["kind"].keys()
    assert set(alert_kinds()) <= words("en")["alert"].keys()


def test_a_leak_says_what_is_so_what_it_costs_and_what_to_do() -> None:
    en, ko = (said(LEAK, language, TZ) for language in LANGUAGES)
    assert en.text.startswith("Water has not stopped for 72 hours.")
    assert (en.won, ko.won) == ("That is about ₩4,300 a day.", "약 4,300원/일입니다.")
    assert "72시간 동안 한 번도 멈추지 않았습니다" in ko.text
    bare = said(replace(LEAK, won=None, won_reason="not_agreed"), "ko", TZ)
    assert bare.won == "요금은 알 수 없습니다: 이 집의 계약이 등록되어 있지 않습니다."


def test_a_dead_meter_is_no_praise_and_names_its_day() -> None:
    figures: dict[str, Any] = {"days": 5, "life_days": 5}
    dead = replace(LEAK, kind="dead_meter", commodity="heat", figures=figures, won=None)
    assert "난방 계량기가 11월 3일부터 멈춘 것 같습니다" in said(dead, "ko", TZ).text
    assert said(dead, "en", TZ).text.endswith("The zero is not a saving.")
    assert said(dead, "en", TZ).won == ""
    alike: dict[str, Any] = {**figures, "alike_homes": 20, "alike_zero": 1}
    assert variant(replace(dead, figures=alike)) == "dead_meter_alike"


@pytest.mark.parametrize("kind", alert_kinds())
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_kind_loses_a_sentence_where_a_figure_is_missing(kind: str, language: str) -> None:
    told = said(replace(LEAK, kind=kind, figures={}), language, TZ)
    assert told.title
    assert told.text
    assert told.action
    assert "{" not in told.title + told.text + told.won + told.action


def test_figures_are_written_as_people_do() -> None:
    assert [shown(one, "en") for one in (1234, 12.34, 1234.5, 5.0, "2026-11-03", "kWh")] == [
        "1,234", "12.3", "1,234", "5", "3 Nov", "kWh",
    ]  # fmt: skip
    assert shown("2026-11-03", "ko") == "11월 3일"
    assert (unit_of("flow", FIGURES, "en"), unit_of("hours", FIGURES, "ko"), unit_of("x", {}, "en")) == (
        "L/h", "시간", "",
    )  # fmt: skip


def test_what_cannot_be_judged_has_a_sentence_even_for_a_reason_nobody_knows() -> None:
    assert check_said("gas_unresting", "gas", "no_meter", {}, "ko").endswith("이 집에는 가스 계량기가 없습니다.")
    young = check_said("water_leak", "water", "moved_in", {"days": 2, "needed_days": 14}, "en")
    assert "of 14 that are needed 2 are known" in young
    assert check_said("tier", "water", "never heard of", {}, "en").endswith("it cannot be judged at present.")
