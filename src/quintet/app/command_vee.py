"""`quintet vee rules` and `quintet vee try`: the rules in force; one of them, or an estimator, tried in the open."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from quintet.terms.errors import UsageError

from .command_vee_estimate import try_estimate
from .options import CityOption, Common, FormatOption, chosen_format
from .rules_table import rules_in_force, rules_table
from .show import show
from .try_file import values_in
from .try_reads import refuse, refuse_unread_estimate
from .try_rule import try_rule
from .try_trial import Asked

Text = str | None


def option(text: str, *names: str) -> Parameter:
    """Describe an option whose value may begin with a minus sign."""
    return Parameter(name=names or None, help=text, allow_leading_hyphen=True)


def vee_rules(*, city: CityOption = None, format: FormatOption = None) -> int:  # noqa: A002
    """Print the rules in force: what each looks at, and where each threshold comes from.

    Without a city: the rules that ship. With one: those with the changes of its city.toml.
    """
    show(rules_table(city), chosen_format(Common(city, format)))
    return 0


def vee_try(
    *,
    rule: Annotated[Text, option("A rule: V01, V05 .. V18, V20, W01, H01, G01; see `quintet vee rules`.")] = None,
    estimate: Annotated[Text, option("An estimator to fill the empty places, instead of a rule.")] = None,
    values: Annotated[
        Text, option("Amounts, commas between, an empty place is missing; kWh for energy, m3 for volumes.")
    ] = None,
    file: Annotated[
        Path | None,
        Parameter(
            name="--file",
            help="Values from a file instead: its column `value`, else its last; an empty cell is missing.",
        ),
    ] = None,
    history: Annotated[
        Text, option("D01, D03, Q01, Z01, ..: the values right before --values, at the same interval.")
    ] = None,
    interval: Annotated[
        Text, option("Length of one interval: 15min, 1h, 1day; default 60min, with --estimate 15min.")
    ] = None,
    start: Annotated[Text, option("First moment, a date or a time with offset: gives days of 23 and 25 hours.")] = None,
    tz: Annotated[str, option("The clock that makes the days, as Asia/Seoul.")] = "UTC",
    commodity: Annotated[Text, option("The carrier; default electricity, or the first that the rule is for.")] = None,
    role: Annotated[Text, option("consumption (default), generation, import, export, net, storage, ...")] = None,
    unit: Annotated[Text, option("Unit of the values, as kWh, Wh or m3; default: the carrier's own.")] = None,
    meter_class: Annotated[str, option("The city's word for the kind of meter, where thresholds depend on it.")] = "",
    register: Annotated[
        Text,
        option("A register's readings in order of time, an empty place is missing. V06: first and last; V15: three."),
    ] = None,
    multiplier: Annotated[str, option("V06: the register's multiplier M.")] = "1",
    interval_multiplier: Annotated[str, option("V06: the multiplier k of the values.")] = "1",
    dials: Annotated[int | None, option("V06, V12, V15: the register's digits before it rolls over.")] = None,
    plate_max: Annotated[Text, option("V16, V12: the meter's maximum an hour, in kW or m3/h.")] = None,
    before: Annotated[
        Text, option("V08, V09: the values of the period before. V08: one number is the average daily use.")
    ] = None,
    year_before: Annotated[Text, option("V08, V09: the values of a year before, likewise.")] = None,
    offset: Annotated[Text, option("V01: the device's clock less the true one, as 4min or -90s.")] = None,
    flags: Annotated[
        Text, option("V05: device flags: overflow, test_mode, memory_error, ...; 3:overflow for one place, from 0.")
    ] = None,
    check: Annotated[Text, option("V17: the check meter's values, or one for all.")] = None,
    accuracy: Annotated[Text, option("V17: accuracy class in per cent.", "--class")] = None,
    reactive: Annotated[Text, option("V13: kvarh beside the values.")] = None,
    volume: Annotated[Text, option("H01: the carrier's volume, m3. G01: the volume as it flowed.")] = None,
    delta_t: Annotated[Text, option("H01: the difference of temperatures, K.")] = None,
    pressure: Annotated[Text, option("G01: absolute pressure, kPa.")] = None,
    temperature: Annotated[Text, option("G01: 288.15K or 15C; without unit: under 150 means C.")] = None,
    compressibility: Annotated[Text, option("G01: Z; default 1.")] = None,
    recorded: Annotated[Text, option("G01: the recorded normal volume, where the values are what flowed.")] = None,
    days: Annotated[Text, option("V20: days estimated, instead of values. V03, V04: length in days.")] = None,
    total: Annotated[Text, option("With --estimate: the register's difference over the gap.")] = None,
    refs: Annotated[Text, option("With --estimate: days or series to estimate from, ';' between them.")] = None,
    city: Annotated[Path | None, Parameter(name="--city", help="A city whose own thresholds count.")] = None,
    format: FormatOption = None,  # noqa: A002
) -> int:
    """Try one rule, or one estimator, on numbers typed in. No city is needed; with --city its thresholds count.

    Prints the verdict (pass, fail, flag or skip), the figures that the rule used, and `at`: the places it objects to,
    counted from 0.
    Values alone: V07, V10, V11 (of an inactive point), V12, V14, V18, V20, W01. For what else a rule reads, see the
    options; what is not given it cannot judge (skip, and why). A day may be given in part, but for V10 and for rules
    that look back: they judge whole days. W01 is tried on water, H01 on heat, G01 on gas unless --commodity says else.
    """
    if (rule is None) == (estimate is None):
        raise UsageError("needs either --rule or --estimate.", code="bad_try", remedy="Say --rule V07, for instance.")
    form = chosen_format(Common(None, format))
    if file is not None:
        values = values_in(file, values)
    asked = Asked(
        rule or "", values, interval or "60min", start, tz, commodity, role, unit, meter_class, history, register,
        multiplier, interval_multiplier, dials, plate_max, before, year_before, offset, flags, check, accuracy,
        reactive, volume, delta_t, pressure, temperature, compressibility, recorded, days,
    )  # fmt: skip
    if estimate is not None:
        refuse_unread_estimate(estimate, asked, city=city is not None)
        answer = try_estimate(
            estimate, values or "", interval=interval or "15min", total=total, start=start, tz=tz, refs=refs,
            commodity=commodity, role=role, unit=unit,
        )  # fmt: skip
        show(answer, form)
        return answer.exit_code
    refuse(asked.rule, [name for name, said in (("total", total), ("refs", refs)) if said is not None])
    show(try_rule(asked, rules_in_force(city)), form)
    return 0
