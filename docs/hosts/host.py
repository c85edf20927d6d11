"""A host in Python: members of a connector, through the command `smp-harness`."""

import json
import os
import subprocess
import sys
import tempfile

# How long a run that is left early may take to stop, in seconds. The command takes about 5 at most.
PATIENCE = 10
# What is read of standard error, from its end, in bytes. The last line is far shorter.
TAIL = 1 << 20


class Failed(Exception):
    """A run that gave no complete list. `error` says why, and whether to try again."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.error = error


def members(connector, *source, env=None):
    """Yields the members. They count only if the loop ends without `Failed`.

    `env` has variables of the command alone: the secret for `--secret KEY=env:NAME`.
    """
    command = [os.environ.get("SMP_HARNESS") or "smp-harness", "collect", connector, *source]
    # An option is given once, so a source that sends the list elsewhere is refused.
    command += ["--format", "ndjson", "--output", "-", "--json"]
    with tempfile.TemporaryFile() as said:
        try:
            run = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                env={**os.environ, **(env or {})},
            )
        except OSError as error:
            raise other(f"`{command[0]}` cannot be started: {error.strerror}") from error
        try:
            is_whole = True
            for line in run.stdout:
                is_whole = line.endswith(b"\n")
                if is_whole:
                    yield member(line)
            code = run.wait()
        finally:
            stop(run)
        if error := last_error(said):
            raise Failed(error)
        if code != 0:
            raise other(f"the command ended with {code}, and did not say why")
        if not is_whole:
            raise other("the command's last line is not whole")


def other(message):
    """What the command could not say itself."""
    absent = dict.fromkeys(["hint", "setting", "vendor_code", "retry_after_s"])
    return Failed({"code": "other", "message": message, "retryable": False, **absent})


def member(line):
    """The member on a line."""
    try:
        read = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise other("the command wrote a line that is no member")
    return read


def last_error(said):
    """The error in the last line of standard error, if there is one."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - TAIL))
    line = said.read().decode("utf-8", "replace").strip().split("\n")[-1]
    try:
        error = json.loads(line)["error"]
        is_error = isinstance(error["code"], str) and isinstance(error["message"], str)
    except (KeyError, RecursionError, TypeError, ValueError):
        is_error = False
    return error if is_error else None


def stop(run):
    """Ends a run that is left early, and waits for it."""
    run.stdout.close()
    run.terminate()
    try:
        run.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: python3 host.py CONNECTOR.wasm SOURCE...", file=sys.stderr)
        sys.exit(2)
    try:
        for each in members(*sys.argv[1:]):
            print(json.dumps(each))
    except Failed as failed:
        print(json.dumps({"error": failed.error}), file=sys.stderr)
        sys.exit(1)
