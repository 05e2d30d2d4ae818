"""What a city's folder holds beside its store and settings, and every backup with it."""

from pathlib import Path

MAPPINGS = "mappings"
"""A folder of the city's own descriptions of payloads, one TOML file each."""
MQTT_ID = "mqtt-id"
"""The name by which brokers know the city's doors: their sessions hang on it."""


def belongings(folder: Path) -> list[Path]:
    """List them, whether they are there or not."""
    return [folder / MQTT_ID, folder / MAPPINGS]


def mappings_of(folder: Path) -> list[Path]:
    """List a city's own descriptions of payloads."""
    return sorted((folder / MAPPINGS).glob("*.toml"))
