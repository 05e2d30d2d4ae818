"""Closes the city's books by interval, in whole sub-units: plants, storage, losses and what comes from outside.

Carriers are solved in the order of the shipped table, downstream first. For each: need = use x (1 + loss) - what is
generated, converted and discharged here; the carrier's plant or its import meets it. A surplus goes out by the export
meter, or is lost where there is none (heat of a fuel cell that nobody takes).
"""

from collections.abc import Mapping

import numpy as np

from .demand import Day
from .plan import Chance, CityPlan, Ints, chance
from .supply import PPM, Carrier, Plant, Storage, Supply, supply

Sums = Mapping[tuple[str, str], Ints]
Flows = dict[tuple[str, str], Ints]
USES = ("consumption", "conversion_in", "storage_charge")
SOURCES = ("local_generation", "conversion_out", "storage_discharge")


class Balance:
    """One day's flows by (carrier, flow), and what each of the city's own meters saw, by its name."""

    def __init__(self, plan: CityPlan, day: Day, sums: Sums) -> None:
        """Take the summed sites and solve."""
        self._zero = np.zeros(day.count, np.int64)
        self.flows: Flows = {key: np.array(value, np.int64) for key, value in sums.items()}
        self.meters: dict[str, Ints] = {}
        network = supply()
        for i, plant in enumerate(network.plants.values()):
            if plant.per_household is not None:
                self._run(plant, _scheduled(plan, day, i, plant, plant.per_household))
        for store in network.storages.values():
            self._store(plan, day, store)
        for carrier in network.carriers.values():
            self._close(carrier, network)

    def _add(self, carrier: str, flow: str, amount: Ints) -> None:
        """Add to a flow."""
        key = (carrier, flow)
        self.flows[key] = self.flows.get(key, self._zero) + amount

    def _sum(self, carrier: str, flows: tuple[str, ...]) -> Ints:
        """Sum a carrier's flows."""
        return sum((self.flows.get((carrier, flow), self._zero) for flow in flows), self._zero)

    def _run(self, plant: Plant, taken: Ints, led_by: str = "") -> None:
        """Let a plant turn `taken` (sub-units of input) into its outputs but the one that led it, already counted."""
        self._add(plant.input_meter.carrier, "conversion_in", taken)
        self.meters[f"{plant.code}-{plant.input_meter.commodity}"] = taken
        for out, ratio in plant.ratios.items():
            if out != led_by:
                made = taken * ratio.numerator // ratio.denominator
                self._add(out, "conversion_out", made)
                self.meters[f"{plant.code}-{plant.output_meters[out].commodity}"] = made

    def _store(self, plan: CityPlan, day: Day, store: Storage) -> None:
        """Charge and discharge by the clock: a day gives back at most what it took times the efficiency."""
        charging = _between(day.hours, store.charge_hours)
        giving = _between(day.hours, store.discharge_hours)
        rate = int(plan.households * store.per_household) // max(int(charging.sum()), 1)
        charge = charging * rate
        back = int(charge.sum()) * store.efficiency_ppm // PPM
        discharge = giving * (back // max(int(giving.sum()), 1))
        self._add(store.meter.carrier, "storage_charge", charge)
        self._add(store.meter.carrier, "storage_discharge", discharge)
        self.meters[store.code] = discharge - charge

    def _close(self, carrier: Carrier, network: Supply) -> None:
        """Find a carrier's loss and what meets the rest of its need."""
        use = self._sum(carrier.code, USES)
        here = self._sum(carrier.code, SOURCES)
        if carrier.balance == "exchanger":
            self._add(carrier.code, "loss", here - use)
            return
        loss = use * carrier.loss_ppm // PPM
        need = use + loss - here
        missing, surplus = np.maximum(need, 0), np.maximum(-need, 0)
        if carrier.import_meter is not None:
            self._add(carrier.code, "import", missing)
            self.meters[carrier.import_meter.code] = missing
        else:
            plant = network.plants[carrier.balance]
            ratio = plant.ratios[carrier.code]
            self._add(carrier.code, "conversion_out", missing)
            self.meters[f"{plant.code}-{plant.output_meters[carrier.code].commodity}"] = missing
            self._run(plant, -(-missing * ratio.denominator // ratio.numerator), led_by=carrier.code)
        if carrier.export_meter is not None:
            self._add(carrier.code, "export", surplus)
            self.meters[carrier.export_meter.code] = surplus
        else:
            loss = loss + surplus
        self._add(carrier.code, "loss", loss)


def _between(hours: Ints, span: tuple[int, int]) -> Ints:
    """Mark the intervals of a span of local hours with 1."""
    return ((hours >= span[0]) & (hours < span[1])).astype(np.int64)


def _scheduled(plan: CityPlan, day: Day, number: int, plant: Plant, per_household: float) -> Ints:
    """Give a scheduled plant's input: steady within the day, some days off."""
    rng = chance(plan.seed, Chance.PLANT, number, day.date.toordinal())
    runs = rng.uniform() >= plant.off_days_per_year / 365
    level = int(plan.households * per_household * rng.uniform(0.9, 1.0)) * int(runs)
    return np.full(day.count, level, np.int64)
