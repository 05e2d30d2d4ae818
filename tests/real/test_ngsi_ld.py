"""Open data as NGSI-LD against the published models: schemas and examples of Smart Data Models, beside the checkout."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests import open_city

from quintet.app import requests
from quintet.app.answer import no_progress
from quintet.app.operations import answer_request

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "object": (dict,), "array": (list,),
    "boolean": (bool,),
}  # fmt: skip
Entity = dict[str, Any]


def faults(value: Entity, schema: dict[str, Any]) -> list[str]:
    """Say where a key-values entity does not fit a model's schema (what of JSON Schema those use; remote parts not)."""
    out = [f"lacks {name}" for name in schema.get("required", ()) if name not in value]
    for part in schema["allOf"]:
        for name, said in part.get("properties", {}).items():
            if name not in value:
                continue
            kind = TYPES.get(said.get("type", ""), (object,))
            if not isinstance(value[name], kind) or (isinstance(value[name], bool) and bool not in kind):
                out.append(f"{name}: {value[name]!r} is no {said['type']}")
            if value[name] not in said.get("enum", [value[name]]):
                out.append(f"{name}: {value[name]!r} is none of {said['enum']}")
    return out


@pytest.fixture(scope="module")
def models(shared: Path) -> dict[str, tuple[Any, Any]]:
    """Give schema and normalised example by entity type."""
    found = {
        one.parent.name: (
            json.loads(one.read_text(encoding="utf-8")),
            json.loads((one.parent / "examples" / "example-normalized.jsonld").read_text(encoding="utf-8")),
        )
        for one in sorted((shared / "vectors" / "ngsi_ld").glob("*/*/schema.json"))
    }
    assert len(found) >= 6
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Entity], list[Entity]]]:
    """Give the entities of a city, normalised and as key-values."""
    city = open_city.made(tmp_path_factory.mktemp("ngsi") / "city")
    asked = requests.OpenData("2027-07", "2027-08", "month", "city", "ngsi-ld", "kim", "open data")
    simple = requests.OpenData("2027-07", "2027-08", "month", "city", "ngsi-ld", "kim", "open data", simple=True)
    whole, plain = (
        json.loads(next(iter(answer_request(city, one, no_progress).read()["files"].values())))
        for one in (asked, simple)
    )
    yield whole, plain
    city.close()


def test_entities_of_a_published_model_fit_its_schema(
    models: dict[str, tuple[Any, Any]], told: tuple[list[Entity], list[Entity]]
) -> None:
    tried = [one for one in told[1] if one["type"] in models]
    assert {one["type"] for one in tried} == {"WaterConsumptionObserved"}
    for one in tried:
        assert faults(one, models[one["type"]][0]) == []
        assert one["waterConsumption"] > 0
    broken = {**tried[0], "waterConsumption": 1.5}
    assert faults(broken, models["WaterConsumptionObserved"][0]) == ["waterConsumption: 1.5 is no integer"]


def test_the_published_examples_fit_what_this_test_reads_of_a_schema(shared: Path, models: dict[str, Any]) -> None:
    for path in sorted((shared / "vectors" / "ngsi_ld").glob("*/*/examples/example.jsonld")):
        example = json.loads(path.read_text(encoding="utf-8"))
        assert faults(example, models[path.parents[1].name][0]) == [], path


def test_normalised_entities_have_the_shape_of_the_published_examples(
    models: dict[str, tuple[Any, Any]], told: tuple[list[Entity], list[Entity]]
) -> None:
    example = models["WaterConsumptionObserved"][1]
    known = {key for one in example.values() if isinstance(one, dict) for key in one} | {"derived", "customers"}
    for one in told[0]:
        assert one["id"].startswith("urn:ngsi-ld:")
        for name, value in one.items():
            if name in ("id", "type", "@context"):
                continue
            assert value["type"] == "Property", name
            assert set(value) <= known, name
    water = next(one for one in told[0] if one["type"] == "WaterConsumptionObserved")
    assert set(water["waterConsumption"]) == {"type", "value", "unitCode", "observedAt"}
    assert water["waterConsumption"]["unitCode"] == example["waterConsumption"]["unitCode"]
