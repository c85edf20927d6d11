"""A host in Python: members of a connector, through the command `smp-harness`."""

import json
import os
import subprocess
import sys
import tempfile


class Failed(Exception):
    """A run that gave no complete list. `error` says why, and whether to try again."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.error = error


def members(connector, *source):
    """Yields the members. They count only if the loop ends without `Failed`."""
    command = [os.environ.get("SMP_HARNESS", "smp-harness"), "collect", connector, *source]
    command += ["--format", "ndjson", "--json"]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as run:
            yield from map(json.loads, run.stdout)
        if run.returncode != 0:
            said.seek(0)
            raise Failed(json.loads(said.read().splitlines()[-1])["error"])


if __name__ == "__main__":
    try:
        for member in members(*sys.argv[1:]):
            print(json.dumps(member))
    except Failed as failed:
        print(json.dumps({"error": failed.error}), file=sys.stderr)
        sys.exit(1)
