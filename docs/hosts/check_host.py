"""The conformance kit for hosts: does a program that runs connectors keep what a host promises?

    check_host.py [--seconds N] CASES CONNECTOR.wasm -- HOST [ARGUMENT…]

CASES is a folder of recorded cases with their expected ends. For each one, the host is called with
`CONNECTOR.wasm --fixture CASE` behind its own arguments. It writes each member as a line of JSON to
standard output. It ends with 0 only if the list is complete; otherwise with another code, and its
last line on standard error is `{"error":{"code":…}}`. A case may take N seconds, 60 by default.

Exit codes: 0 every case ended as expected; 1 at least one did not; 2 wrong usage, or a host that
cannot be judged in at least one case: it is missing, does not end, or writes no JSON.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

SECONDS = 60
# The recorded lists have a few hundred members.
BYTES = 64 << 20


class Missing(Exception):
    """Why the host cannot be started."""


class Unjudged(Exception):
    """What the host does instead of what a host does."""


def ended(host, connector, case, seconds):
    """Exit code, members, and the code of the error."""
    command = [*host, connector, "--fixture", str(case)]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as said:
        # A group of its own, so that what the host started ends with it.
        try:
            run = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=said,
                start_new_session=True,
            )
        except OSError as error:
            raise Missing(error.strerror) from error
        try:
            latest = time.monotonic() + seconds
            while run.poll() is None:
                if time.monotonic() > latest:
                    raise Unjudged(f"it did not end within {seconds:g} s")
                if max(os.fstat(file.fileno()).st_size for file in (output, said)) > BYTES:
                    raise Unjudged(f"it wrote more than {BYTES >> 20} MiB")
                time.sleep(0.01)
        finally:
            try:
                os.killpg(run.pid, signal.SIGKILL)
            except OSError:
                pass
            run.wait()
        output.seek(0)
        members = [member(line) for line in output.read(BYTES).split(b"\n") if line.strip()]
        said.seek(0)
        lines = said.read(BYTES).strip().split(b"\n")
    code = None
    if run.returncode != 0:
        try:
            code = json.loads(lines[-1].decode("utf-8", "replace"))["error"]["code"]
        except (KeyError, RecursionError, TypeError, ValueError):
            code = "(no error as the last line)"
    return run.returncode, members, code


def member(line):
    """The member on a line."""
    try:
        read = json.loads(line.decode("utf-8"))
    except (RecursionError, ValueError):
        read = None
    if not isinstance(read, dict):
        raise Unjudged("it wrote a line to standard output that is no JSON object in UTF-8")
    return read


def breach(expected, came):
    """What is wrong, or `None`."""
    exit_code, members, code = came
    error = expected["error"]
    if error is None:
        if exit_code != 0:
            return f"a complete list was expected, and it failed as `{code}`"
        if texts(members) != texts(expected["rows"]):
            return f"other members than expected: {len(members)} of {len(expected['rows'])}"
        return None
    if exit_code == 0:
        return (
            f"it calls a list of {len(members)} complete, and it is not: `{error['code']}`"
        )
    if code != error["code"]:
        return f"it failed as `{code}`, expected was `{error['code']}`"
    return None


def texts(members):
    """Members as text, because `1` is `True` in Python and is not in JSON."""
    return [json.dumps(each, sort_keys=True) for each in members]


def recorded(cases):
    """The folders of the cases, with the expected end of each."""
    for file in sorted(cases.glob("*/expected.json")):
        collect = json.loads(file.read_text("utf-8")).get("collect")
        # Without a collection, wrong settings were refused before.
        if isinstance(collect, dict):
            error = collect["error"]
            if not isinstance(collect["rows"] if error is None else error["code"], (list, str)):
                raise TypeError(file)
            yield file.parent, collect


def arguments_of(arguments):
    """Seconds, cases, connector and host, or `None`."""
    seconds = SECONDS
    if arguments[:1] == ["--seconds"] and len(arguments) > 1:
        try:
            seconds = float(arguments[1])
        except ValueError:
            return None
        arguments = arguments[2:]
    if arguments[2:3] != ["--"] or len(arguments) < 4 or not 0 < seconds < 1e6:
        return None
    return seconds, pathlib.Path(arguments[0]), arguments[1], arguments[3:]


def main(arguments):
    wanted = arguments_of(arguments)
    if wanted is None:
        print(__doc__, file=sys.stderr)
        return 2
    seconds, folder, connector, host = wanted
    try:
        cases = list(recorded(folder))
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        print(f"{folder}: an expected.json cannot be read: {error!r}", file=sys.stderr)
        return 2
    if not cases:
        print(f"{folder}: there is no case in it, a folder with expected.json", file=sys.stderr)
        return 2
    if not os.path.isfile(connector):
        print(f"{connector}: there is no such file", file=sys.stderr)
        return 2
    passed = failed = unjudged = 0
    for case, expected in cases:
        try:
            wrong = breach(expected, ended(host, connector, case, seconds))
        except Unjudged as why:
            wrong = str(why)
            unjudged += 1
        except Missing as why:
            print(f"{host[0]}: the host cannot be started: {why}", file=sys.stderr)
            return 2
        print(f"fail  {case.name}: {wrong}" if wrong else f"ok    {case.name}", flush=True)
        failed += wrong is not None
        passed += wrong is None
    print(f"{passed} passed, {failed} failed")
    if unjudged:
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(2)
