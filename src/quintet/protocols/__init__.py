"""Bytes to readings: formats of files and telegrams, with no input or output of their own."""

from .dataset import read_map, read_meters, read_readings, read_weather
from .sift import CODED_READINGS, Part

__all__ = ["CODED_READINGS", "Part", "read_map", "read_meters", "read_readings", "read_weather"]
