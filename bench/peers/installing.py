"""Installs the peers, each into its own environment, and measures their size."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tools import COMPONENT, HARNESS, HERE, PYTHON, VENVS, Tool

#: Longest time of one installation: some 350 MiB over a slow line.
INSTALL_SECONDS = 900


def install(environment: str) -> str | None:
    """Installs the pins of `requirements-ENVIRONMENT.txt`, unless they are installed already. Returns the error, if there is one."""
    folder = VENVS / environment
    requirements = HERE / f"requirements-{environment}.txt"
    stamp = folder / "installed"
    wanted = hashlib.sha256(requirements.read_bytes() + PYTHON.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return None
    shutil.rmtree(folder, ignore_errors=True)
    print(f"installing {environment} …", flush=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    for command in (
        [PYTHON, "-m", "venv", str(folder)],
        [*pip, "install", "--quiet", "--retries", "1", "--requirement", str(requirements)],
        [*pip, "check"],
    ):
        problem = run(command)
        if problem:
            return problem
    stamp.write_text(wanted)
    return None


def run(command: list[str]) -> str | None:
    """Runs a command to its end. Returns the error, if there is one."""
    quiet = {**os.environ, "PYTHONNOUSERSITE": "1"}
    try:
        done = subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    return (said[-1] if said else f"exit code {done.returncode}") if done.returncode else None


def version(tool: Tool) -> str:
    """The pinned version; for our own command, the one that it reports."""
    if tool.environment is None:
        return subprocess.run([str(HARNESS), "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    pins = (HERE / f"requirements-{tool.environment}.txt").read_text().splitlines()
    return next(pin.partition("==")[2] for pin in pins if pin.partition("==")[0] == tool.package)


def packages(tool: Tool) -> int:
    """Number of packages that are installed for it."""
    return 0 if tool.environment is None else len((HERE / f"requirements-{tool.environment}.txt").read_text().splitlines())


def installed_bytes(tool: Tool) -> int:
    """Its size on the disk: for a peer, beyond an empty environment."""
    if tool.environment is None:
        return HARNESS.stat().st_size + COMPONENT.stat().st_size
    empty = VENVS / "empty"
    if not (empty / "bin" / "python").exists():
        subprocess.run([PYTHON, "-m", "venv", str(empty)], check=True, timeout=INSTALL_SECONDS)
    return size(VENVS / tool.environment) - size(empty)


def size(folder: Path) -> int:
    """The sizes of all files in a folder, links not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_symlink() or path.is_file())
