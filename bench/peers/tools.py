"""The compared tools: how each is installed, started and read. One entry each in `TOOLS`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import members
from members import Member

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / "target"
VENVS = TARGET / "peers"
HARNESS = TARGET / "release" / "smp-harness"
MOCK = TARGET / "release" / "atlassian-mock"
COMPONENT = ROOT / "dist" / "atlassian-cloud.wasm"


@dataclass(frozen=True)
class Organization:
    """A mock organization that listens, and the file with the settings to reach it."""

    url: str
    id: str
    key: str
    settings: Path


@dataclass(frozen=True)
class Tool:
    """A way to collect the members."""

    name: str
    #: Its environment: `requirements-ENVIRONMENT.txt`. None for our own command, which is built.
    environment: str | None
    #: The package whose version is reported.
    package: str
    #: The command, given the organization and an empty folder for its other files.
    command: Callable[[Organization, Path], list[str]]
    #: Reads the members from its standard output, or from the folder.
    read: Callable[[Path, Path], Iterator[Member]]


def executable(environment: str, name: str = "python") -> str:
    """The path of a command in a peer's environment."""
    return str(VENVS / environment / "bin" / name)


def of_output(read: Callable[[Iterable[str]], Iterator[Member]]) -> Callable[[Path, Path], Iterator[Member]]:
    """A reader of standard output."""

    def reader(output: Path, _folder: Path) -> Iterator[Member]:
        with output.open(encoding="utf-8", newline="\n") as lines:
            yield from read(lines)

    return reader


def smp(organization: Organization, _folder: Path) -> list[str]:
    source = ["--upstream", organization.url, "--set", f"organization-id={organization.id}", "--secret", "api-key=env:PEERS_KEY"]
    return [str(HARNESS), "collect", str(COMPONENT), *source, "--rate", "off", "--format", "ndjson"]


def airbyte(organization: Organization, _folder: Path) -> list[str]:
    files = ["--config", organization.settings, "--catalog", HERE / "airbyte_catalog.json", "--manifest-path", HERE / "airbyte_manifest.yaml"]
    return [executable("airbyte", "source-declarative-manifest"), "read", *map(str, files)]


def singer(organization: Organization, _folder: Path) -> list[str]:
    return [executable("singer"), str(HERE / "singer_tap.py"), "--config", str(organization.settings)]


def dlt_client(organization: Organization, _folder: Path) -> list[str]:
    return [executable("dlt"), str(HERE / "dlt_client.py"), str(organization.settings)]


def dlt_pipeline(organization: Organization, folder: Path) -> list[str]:
    return [executable("dlt"), str(HERE / "dlt_pipeline.py"), str(organization.settings), str(folder)]


#: The first is our own command, with which the others are compared.
TOOLS = (
    Tool("smp-harness", None, "smp-harness", smp, of_output(members.read_smp)),
    Tool("airbyte-cdk", "airbyte", "airbyte-cdk", airbyte, of_output(members.read_airbyte)),
    Tool("singer-sdk", "singer", "singer-sdk", singer, of_output(members.read_singer)),
    Tool("dlt, client only", "dlt", "dlt", dlt_client, of_output(members.read_records)),
    Tool("dlt, pipeline", "dlt", "dlt", dlt_pipeline, lambda _output, folder: members.read_dlt_bucket(folder)),
)

#: The tools' environment, which has nothing of this shell. The last two switch telemetry off: dlt's own switch, and the one of Airbyte's
#: tools. The packages airbyte-cdk and singer-sdk send nothing themselves.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONNOUSERSITE": "1",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "DO_NOT_TRACK": "1",
}
PYTHON = sys.executable
