"""`load http` and `load mqtt` at work: registers meters, shares the work among processes, prints the tally."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from quintet.simulate import CityPlan, simulate_city, write_city_toml
from quintet.terms.errors import BadInput, CityError, UsageError

from .answer import Answer, document_of
from .cells import plain, rows_of
from .load import Load
from .load_http import Line, Reply, headers_of, insist
from .load_limits import LIMITS
from .load_plan import LoadConfig, Mischief, Tally, simulated
from .settings import Format
from .show import say, show

METERS_PATH = "/api/v1/meters:batch"
ADDED = (
    "messages_sent", "readings_sent", "readings_due", "readings_behind", "messages_acknowledged",
    "readings_acknowledged", "readings_a_second", "accepted", "duplicate", "rejected", "retried", "connections_broken",
    "turned_down", "given_up",
)  # fmt: skip


def play(settings: dict[str, Any], processes: int, form: Format | None, *, register: bool) -> int:
    """Play by plain settings (see command_load) in one or several processes and print the tally; give the exit code."""
    config = config_of(settings)
    if register:
        say(f"{asyncio.run(register_meters(config)):,} meters are registered.")
    others = [
        subprocess.Popen(
            [sys.executable, "-m", "quintet.app.load_run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes - 1)
    ]
    for number, other in enumerate(others, start=1):
        share = {**settings, "share": [number, processes], "acks": f"{settings['acks']}.{number}"}
        assert other.stdin is not None
        other.stdin.write(msgspec.json.encode(share).decode() + "\n")
        other.stdin.flush()
    tally = Load(replace(config, share=(0, processes))).run(_tell)
    facts = [tally.facts(), *(_facts_of(other) for other in others)]
    return _print(facts, form)


def _facts_of(other: "subprocess.Popen[str]") -> dict[str, Any]:
    out, _ = other.communicate()
    if other.returncode:
        raise CityError("one of the processes ended early.", code="load_ended", remedy="See what it said above.")
    return msgspec.json.decode(out)


def _print(parts: list[dict[str, Any]], form: Format | None) -> int:
    """Add up the processes' counts and print them; 1 when something was given up or rejected."""
    facts = parts[0]
    for part in parts[1:]:
        facts |= {name: facts[name] + part[name] for name in ADDED}
        facts["refused"] = {
            name: facts["refused"].get(name, 0) + part["refused"].get(name, 0)
            for name in facts["refused"].keys() | part["refused"].keys()
        }
        facts["latency_ms"] = {
            name: max(value, part["latency_ms"].get(name, 0.0)) for name, value in facts["latency_ms"].items()
        }
    _tell_behind(facts)
    cells = {**facts, "refused": words(facts["refused"]), "latency_ms": words(facts["latency_ms"])}
    rows = [{"what": name, "value": str(value)} for name, value in cells.items()]
    columns = ["what", "value"]
    show(Answer(columns, rows_of(columns, rows), document_of(plain(facts)), numbers=["value"]), form or "table")
    return int(bool(facts["given_up"] or facts["turned_down"] or facts["rejected"]))


def _tell_behind(facts: dict[str, Any]) -> None:
    """Say when the load was less than the rate: figures of such a run are not figures at that rate."""
    due, behind = facts["readings_due"], facts["readings_behind"]
    if behind <= due * (LIMITS.behind_percent / 100):
        return
    say(
        f"Fell behind: {behind:,} of {due:,} readings that the rate asked for were not sent. The door answered too "
        "slowly for so many --clients, or this machine makes them too slowly: name more --clients, --processes or "
        "--readings-a-message, or a lower --rate."
    )


def words(counts: dict[str, Any]) -> str:
    """Give named numbers as text."""
    return ", ".join(f"{name} {value}" for name, value in counts.items())


def _tell(tally: Tally) -> None:
    if sys.stderr.isatty():
        facts = tally.facts()
        say(
            f"{facts['seconds']:6.0f} s  {facts['readings_acknowledged']:,} acknowledged, "
            f"{facts['readings_a_second']:,}/s, {facts['retried']} sent again, {words(facts['latency_ms'])} ms"
        )


def config_of(settings: dict[str, Any]) -> LoadConfig:
    """Give the configuration that plain settings mean."""
    named = dict(settings)
    named["mischief"] = Mischief(**named.get("mischief", {}))
    named["acks"] = Path(named["acks"])
    named["start"] = _day(named.get("start"))
    named["share"] = tuple(named.get("share", (0, 1)))
    return LoadConfig(**named)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no day.", code="bad_day", remedy="Write it like 2026-11-01.") from error


async def register_meters(config: LoadConfig) -> int:
    """Register the simulated city's meters through the HTTP door, which may come and go meanwhile; give how many.

    Raises BadInput with the door's own words where it refuses them, CityError where it does not answer in the patience.
    """
    rows: list[dict[str, Any]] = simulated(config).meters.to_pylist()
    line = Line(config.to)
    headers = headers_of(config.token, "application/json")
    for low in range(0, len(rows), LIMITS.meters_at_once):
        part = [
            {name: value for name, value in row.items() if value is not None}
            for row in rows[low : low + LIMITS.meters_at_once]
        ]
        body = msgspec.json.encode({"meters": plain(part)})
        reply = await insist(line, METERS_PATH, headers, body, config.patience_s)
        if reply.status != 200:
            raise _refused(reply)
    await line.close()
    return len(rows)


def _refused(reply: Reply) -> BadInput:
    """Say in the door's words why it did not take the meters."""
    try:
        said = msgspec.json.decode(reply.body, type=dict[str, Any])
    except msgspec.MsgspecError:
        said = {"detail": reply.body.decode(errors="replace")[:500]}
    remedy = said.get("remedy") or "Use `quintet load meters FOLDER` and `quintet ingest FOLDER`."
    if reply.status in {401, 403}:
        remedy = "Make a token with `quintet token create --may readings,meters`, and name its file with --token-file."
    return BadInput(
        f"the meters were refused ({reply.status}): {said.get('detail') or said.get('title') or ''}",
        code="meters_refused",
        remedy=str(remedy),
    )


def write_meters(folder: Path, households: int, seed: int, timezone: str) -> None:
    """Write the meters of the simulated city that `load` plays, and its settings, as a dataset folder."""
    plan = CityPlan(
        start=LoadConfig(to="", acks=folder).plan.start, days=1, households=households, seed=seed, tz=timezone
    )
    city = simulate_city(replace(plan, faults=False))
    folder.mkdir(parents=True)
    write_city_toml(city, folder / "city.toml")
    pq.write_table(city.meters, folder / "meters.parquet")
    # a dataset has readings, if only none
    pq.write_table(city.readings(plan.start).slice(0, 0), folder / "readings.parquet")


def main() -> int:
    """Play one process' share, told on stdin; print its facts as JSON."""
    settings = msgspec.json.decode(sys.stdin.readline())
    tally = Load(config_of(settings)).run()
    sys.stdout.write(msgspec.json.encode(tally.facts()).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
