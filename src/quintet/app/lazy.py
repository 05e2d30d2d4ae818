"""The one place that imports by name: a command pays only for the parts that it uses.

Importing the engines takes most of a second; `quintet --help`, and a command that speaks to a running owner, need none
of them. The names are checked by a test, so a renamed module is found before a person finds it.
"""

import importlib
from typing import Any

TARGETS = {
    "open_city": "quintet.app.city:City",
    "operations": "quintet.app.operations:answer_request",
    "create_city": "quintet.app.making:create_city",
    "restore_city": "quintet.app.making:restore_city",
    "migrate_city": "quintet.app.making:migrate_city",
    "serve": "quintet.app.serving:serve",
    "site": "quintet.app.site:build_site",
    "doors": "quintet.app.doors:Doors",
    "warming": "quintet.app.warming:HomesWarming",
    "freshening": "quintet.app.freshening:HomesFreshening",
    "demo": "quintet.app.demo:make_demo",
    "load": "quintet.app.load_run:play",
    "load_meters": "quintet.app.load_run:write_meters",
    "mqtt_settings": "quintet.app.mqtt_settings:mqtt_settings",
    "mqtt_children": "quintet.app.mqtt_settings:mqtt_children",
    "door_mqtt": "quintet.app.mqtt_process:run_door",
    "try_readings": "quintet.app.try_readings:try_readings",
    "derive_limits": "quintet.pipeline.thresholds:limits",
    "bench": "quintet.app.bench:run",
    "vee_report": "quintet.app.vee_report:simulated_report",
    "alerts_report": "quintet.app.alert_report:report_simulated",
    "asked_amount": "quintet.app.compute_emissions:AskedAmount",
    "compute_emissions": "quintet.app.compute_emissions:compute_emissions",
    "asked_series": "quintet.app.compute_selfsufficiency:AskedSeries",
    "build_report": "quintet.app.report_build:build",
    "verify_report": "quintet.app.report_verify:verify",
    "compare_cities": "quintet.app.report_compare:compare",
    "compute_selfsufficiency": "quintet.app.compute_selfsufficiency:compute_selfsufficiency",
}
"""What the command line loads only when a command needs it."""


def load(what: str) -> Any:
    """Import and give what TARGETS names."""
    return named(TARGETS[what])


def named(target: str) -> Any:
    """Import and give what `module:name` names."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)
