"""Collects the same mock organization with our command and with its peers, and compares cost and result.

    python3 bench/peers/run.py [--members N] [--runs N]        or: make bench-peers

It uses only the standard library. It writes only to target/peers, except for results.json beside this file, which only a run of the usual
size writes. It ends only processes that it started, and bounds each run in time. Exit code 1 if a list of members differs, or an installed
tool fails.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import unittest
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import installing
from members import Member, differences, digest
from tools import COMPONENT, ENVIRONMENT, HARNESS, HERE, MOCK, PYTHON, TOOLS, VENVS, Organization, Tool

#: Longest time of one run. The slowest peer takes seconds.
RUN_SECONDS = 300
MEMBERS = 20_000
RUNS = 5
WORK = VENVS / "work"


class Failed(Exception):
    """A tool did not do its work."""


@contextlib.contextmanager
def mock(members: int) -> Iterator[Organization]:
    """A mock organization on a free port of the loopback interface, while the block runs."""
    command = [str(MOCK), "--members", str(members), "--page-size", "100", "--until-stdin-closes", "--log", str(WORK / f"log-{members}")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            told: dict[str, str] = {}
            while "api-key" not in told:
                line = process.stdout.readline()
                if not line:
                    raise Failed("the mock does not start")
                key, _, value = line.strip().partition("=")
                told[key] = value
            settings = WORK / f"settings-{members}.json"
            settings.write_text(json.dumps({"api_url": told["url"], "organization_id": told["organization-id"], "api_key": told["api-key"]}))
            yield Organization(told["url"], told["organization-id"], told["api-key"], settings)
        finally:
            process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def requests(members: int) -> int:
    """Number of requests that the mock of this many members has answered."""
    with (WORK / f"log-{members}").open() as lines:
        return sum(1 for _ in lines)


def measure(tool: Tool, organization: Organization, mode: str) -> tuple[dict[str, Any], list[Member]]:
    """One run of a tool: its cost, and the members that it found."""
    folder, output, errors = WORK / "folder", WORK / "output", WORK / "errors"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    environment = {**ENVIRONMENT, "HOME": str(WORK / "home"), "PEERS_KEY": organization.key}
    command = [PYTHON, "-I", "-S", str(HERE / "measure.py"), mode, str(RUN_SECONDS), str(output), str(errors)]
    done = subprocess.run([*command, *tool.command(organization, folder)], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Failed(done.stderr.strip().rpartition("\n")[2])
    cost = json.loads(done.stdout)
    if cost["exit"] or cost["outlived"]:
        last = errors.read_text(errors="replace").strip().rpartition("\n")[2]
        raise Failed(f"exit code {cost['exit']}: {last or 'it says nothing'}")
    return cost, list(tool.read(output, folder))


def rounds(tools: list[Tool], members: int, runs: int) -> dict[str, dict[str, Any]]:
    """Runs each tool once to warm up and then `runs` times, in an order that shifts from round to round. Returns the costs by the tool's name."""
    found: dict[str, dict[str, Any]] = {}
    ours: list[Member] = []
    with mock(members) as organization:
        for turn in range(runs + 1):
            shift = max(turn - 1, 0) % len(tools)
            for tool in tools[shift:] + tools[:shift]:
                before = requests(members)
                mode = "plain" if turn else "watched"
                try:
                    cost, list_of_members = measure(tool, organization, mode)
                except Failed as error:
                    raise Failed(f"{tool.name}: {error}") from error
                ours = ours or list_of_members
                if len(list_of_members) != members:
                    raise Failed(f"{tool.name} found {len(list_of_members)} members of {members}")
                differing = differences(ours, list_of_members)
                if differing:
                    raise Failed(f"{tool.name}: {len(differing)} differences, the first: {differing[0]}")
                entry = found.setdefault(tool.name, {"runs": [], "members_sha256": digest(list_of_members)})
                entry["requests"] = requests(members) - before
                entry["runs" if turn else "warm_up"] = entry["runs"] + [cost] if turn else cost
                print(f"  {members} members, round {turn}: {tool.name} {cost['wall_s']:.2f} s, CPU {cost['cpu_s']:.2f} s", file=sys.stderr)
    return found


def spread(costs: list[dict[str, Any]], field: str, scale: float = 1.0) -> dict[str, float]:
    """Median, minimum and maximum of a figure."""
    values = [cost[field] * scale for cost in costs]
    return {"median": round(statistics.median(values), 4), "min": round(min(values), 4), "max": round(max(values), 4)}


def summary(tool: Tool, members: int, large: dict[str, Any], small: dict[str, Any]) -> dict[str, Any]:
    """The figures of a tool."""
    wall = spread(large["runs"], "wall_s")
    cpu, start_cpu = spread(large["runs"], "cpu_s"), spread(small["runs"], "cpu_s")
    return {
        "version": installing.version(tool),
        "packages": installing.packages(tool),
        "installed_mib": round(installing.installed_bytes(tool) / 2**20, 1),
        "members_per_s": {key: round(members / wall[other]) for key, other in (("median", "median"), ("min", "max"), ("max", "min"))},
        "wall_s": wall,
        "cpu_s": cpu,
        "cpu_ms_per_1000_more": round((cpu["median"] - start_cpu["median"]) * 1_000_000 / max(members - 1, 1), 2),
        "peak_mib": spread(large["runs"], "peak_kib", 1 / 1024),
        "start_s": spread(small["runs"], "wall_s"),
        "start_cpu_s": start_cpu,
        "start_peak_mib": spread(small["runs"], "peak_kib", 1 / 1024),
        "first_ever_s": small["warm_up"]["wall_s"],
        "first_ever_cpu_s": small["warm_up"]["cpu_s"],
        "processes": large["warm_up"]["processes"],
        "requests": large["requests"],
        "members_sha256": large["members_sha256"],
    }


def table(figures: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown: medians with minimum and maximum."""

    def cell(value: dict[str, float], form: str) -> str:
        return f"{value['median']:{form}} ({value['min']:{form}}–{value['max']:{form}})"

    head = ["tool", "version", "members/s", "CPU s", "peak MiB", "start s", "start CPU s", "CPU ms per 1,000 more", "installed MiB"]
    head += ["same members"]
    ours = next(iter(figures.values()))["members_sha256"]
    rows = [head, ["---"] + ["---:"] * (len(head) - 2) + ["---"]]
    for name, figure in figures.items():
        rows.append([
            name,
            figure["version"],
            cell(figure["members_per_s"], ",.0f"),
            cell(figure["cpu_s"], ".2f"),
            cell(figure["peak_mib"], ".0f"),
            cell(figure["start_s"], ".3f"),
            cell(figure["start_cpu_s"], ".3f"),
            f"{figure['cpu_ms_per_1000_more']:.0f}",
            f"{figure['installed_mib']:.0f}",
            "yes" if figure["members_sha256"] == ours else "NO",
        ])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def comparer_works() -> bool:
    """Runs the tests of the comparer, since the whole comparison rests on it."""
    tests = unittest.defaultTestLoader.discover(str(HERE))
    return unittest.TextTestRunner(verbosity=0).run(tests).wasSuccessful()


def main() -> int:
    arguments = argparse.ArgumentParser(description="Compares our command with its peers.")
    arguments.add_argument("--members", type=int, default=MEMBERS, help="size of the large organization")
    arguments.add_argument("--runs", type=int, default=RUNS, help="runs that count")
    options = arguments.parse_args()
    missing = [path.name for path in (HARNESS, MOCK, COMPONENT) if not path.is_file()]
    if missing:
        print(f"not built: {', '.join(missing)} (make build)", file=sys.stderr)
        return 1
    if not comparer_works():
        return 1

    reasons = {name: installing.install(name) for name in dict.fromkeys(tool.environment for tool in TOOLS if tool.environment)}
    for name, reason in reasons.items():
        if reason:
            print(f"skipped: {name} cannot be installed: {reason}")
    tools = [tool for tool in TOOLS if not reasons.get(tool.environment)]
    shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "home").mkdir(parents=True)
    load = [round(os.getloadavg()[0], 2)]
    try:
        small = rounds(tools, 1, options.runs)
        large = rounds(tools, options.members, options.runs)
    except Failed as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    load.append(round(os.getloadavg()[0], 2))

    figures = {tool.name: summary(tool, options.members, large[tool.name], small[tool.name]) for tool in tools}
    results = {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "members": options.members,
        "runs": options.runs,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load_before_and_after": load,
        "skipped": {name: reason for name, reason in reasons.items() if reason},
        "tools": figures,
    }
    is_usual = (options.members, options.runs) == (MEMBERS, RUNS)
    ((HERE if is_usual else VENVS) / "results.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    print(f"\n{options.members} members, {options.runs} runs each, load {load[0]} before and {load[1]} after, medians (least–most):\n")
    print(table(figures))
    asked = {name: figure["requests"] for name, figure in figures.items()}
    each = set(asked.values())
    print(f"\nRequests: {each.pop()} each." if len(each) == 1 else f"\nRequests differ: {asked}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
