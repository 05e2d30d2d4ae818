"""A city that never was, with its truth: meters, readings with injected faults, weather, and what really flowed."""

from .city import SimulatedCity, simulate_city
from .dataset import write_city_toml, write_dataset
from .plan import CityPlan

__all__ = ["CityPlan", "SimulatedCity", "simulate_city", "write_city_toml", "write_dataset"]
