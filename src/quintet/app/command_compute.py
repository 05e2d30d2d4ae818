"""`quintet emissions compute` and `quintet selfsufficiency compute`: the ledger's own sums, without a city.

They stand below commands that ask a city: `quintet emissions --from ...` goes on as it is.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from .answer import Answer
from .command_emissions import (
    emissions,
    emissions_compare,
    emissions_gpc,
    emissions_publish,
    emissions_published,
    emissions_set,
    emissions_sets,
    emissions_withdraw,
)
from .command_selfsufficiency import selfsufficiency, selfsufficiency_explain, selfsufficiency_pin
from .lazy import load as lazy_load
from .options import Common, FormatOption, chosen_format
from .settings import Format
from .show import show

Text = str | None


def option(text: str, *names: str) -> Parameter:
    """Describe an option whose value may begin with a minus sign: the command says what is wrong with it."""
    return Parameter(name=names or None, help=text, allow_leading_hyphen=True)


def emissions_compute(
    *,
    commodity: Annotated[str, option("The carrier: electricity, gas, heat, water.")],
    amount: Annotated[str, option('How much, with its unit: "400 MWh", "1000 GJ", "25 Gcal", "3 toe", "1000 m3".')],
    year: Annotated[int | None, option("The year of the activity; needed where factors are of certain years.")] = None,
    basis: Annotated[Text, option("Of a fuel as energy: gross or net (higher or lower heating value).")] = None,
    use: Annotated[Text, option("Of a fuel: what it is burnt for, as residential or energy_industries.")] = None,
    branch: Annotated[Text, option("Of district heat: the supplier's branch, as Daegu.")] = None,
    gwp: Annotated[str, option("Warming potentials: SAR, AR4, AR5, AR6_fossil, AR6_nonfossil ...")] = "AR5",
    purpose: Annotated[
        str, option("inventory: by the year itself; three_year_mean, reference, public_target: those factors only.")
    ] = "inventory",
    factor: Annotated[Text, option("Use this factor, whatever its year.")] = None,
    factors: Annotated[Path | None, option("A TOML file of factors of your own, with date and source.")] = None,
    known_on: Annotated[Text, option("Only factors published by this day, as 2024-12-31.")] = None,
    calorific: Annotated[
        Text, option("Of gas by volume: MJ in one m3, of the kind that --basis names; else the value in force.")
    ] = None,
    format: FormatOption = None,  # noqa: A002
) -> int:
    """Compute what an amount emits, with its factor and source; no city is needed.

    A year, use or branch that has no factor is refused, and so is what is ambiguous: nothing is chosen in silence.
    """
    module = lazy_load("asked_amount")
    asked = module(commodity, amount, year, basis, use, branch, gwp, purpose, factor, factors, known_on, calorific)
    return _print(lazy_load("compute_emissions")(asked), format)


def selfsufficiency_compute(
    *,
    load: Annotated[Text, option("Use, one number for each interval, commas between.")] = None,
    own: Annotated[Text, option("All own generation, likewise.")] = None,
    own_renewable: Annotated[Text, option("Its renewable, carbon-free part; default: all of it.")] = None,
    imported: Annotated[Text, option("What came in; default: follows from the rest.", "--import")] = None,
    exported: Annotated[Text, option("What left; default: follows from the rest.", "--export")] = None,
    self_consumed: Annotated[Text, option("Instead of --export: own generation that was used here.")] = None,
    storage_charge: Annotated[Text, option("What went into storage.")] = None,
    storage_discharge: Annotated[Text, option("What came out of storage.")] = None,
    grid_share: Annotated[Text, option("Carbon-free share of what the grid gives, 0 to 1.")] = None,
    demand: Annotated[
        Text, option("Energy demand by carrier, as electricity=100,fuel=50 (also district_heat, district_cooling).")
    ] = None,
    produced: Annotated[Text, option("Renewable output, likewise.")] = None,
    produced_use: Annotated[Text, option("The energy that it took to make it, likewise.")] = None,
    demand_primary: Annotated[Text, option("Instead of --demand: primary energy.")] = None,
    produced_primary: Annotated[Text, option("Instead of --produced: primary energy, net of what it took.")] = None,
    final_renewable: Annotated[
        Text, option("Local renewable final energy, amounts with commas between: 10 toe, 5 GJ. Without unit: toe.")
    ] = None,
    final_use: Annotated[Text, option("All final energy, likewise.")] = None,
    unit: Annotated[str, option("Unit of the series and of what has no unit of its own.")] = "kWh",
    interval: Annotated[
        Literal["15min", "30min", "hour", "day", "month", "year"], option("Length of one interval.")
    ] = "hour",
    format: FormatOption = None,  # noqa: A002
) -> int:
    """Compute every definition that the numbers allow; no city is needed.

    1 means 100 %. What the numbers do not allow is null, and `needs` says what is missing. A missing value is refused.
    """
    module = lazy_load("asked_series")
    asked = module(
        load, own, own_renewable, imported, exported, self_consumed, storage_charge, storage_discharge, grid_share,
        demand, produced, produced_use, demand_primary, produced_primary, final_renewable, final_use, unit, interval,
    )  # fmt: skip
    return _print(lazy_load("compute_selfsufficiency")(asked), format)


def _print(answer: Answer, asked: Format | None) -> int:
    """Print an answer; the JSON document holds all that the notes say."""
    form = chosen_format(Common(None, asked))
    show(msgspec.structs.replace(answer, notes=[]) if form == "json" else answer, form)
    return 0


def below(name: str, asks: Callable[..., int], **others: Callable[..., int]) -> App:
    """Build a command over a city that has others below it."""
    app = App(name=name)
    app.default(asks)
    for word, command in others.items():
        app.command(command, name=word)
    return app


EMISSIONS = below(
    "emissions", emissions, compute=emissions_compute, gpc=emissions_gpc, publish=emissions_publish,
    published=emissions_published, compare=emissions_compare, set=emissions_set, sets=emissions_sets,
    withdraw=emissions_withdraw,
)  # fmt: skip
SELFSUFFICIENCY = below(
    "selfsufficiency", selfsufficiency, compute=selfsufficiency_compute, explain=selfsufficiency_explain,
    pin=selfsufficiency_pin,
)  # fmt: skip
