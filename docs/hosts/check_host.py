"""The conformance kit for hosts: does a program that runs connectors keep what a host promises?

    check_host.py CASES CONNECTOR.wasm -- HOST [ARGUMENT…]

CASES is a folder of recorded cases with their expected ends. For each one, the host is called with
`CONNECTOR.wasm --fixture CASE` behind its own arguments. It writes each member as a line of JSON to
standard output. It ends with 0 only if the list is complete; otherwise with another code, and its
last line on standard error is `{"error":{"code":…}}`.

Exit codes: 0 every case ended as expected; 1 at least one did not; 2 wrong usage.
"""

import json
import pathlib
import subprocess
import sys

SECONDS = 120


def ended(host, connector, case):
    """Exit code, members, and the code of the error."""
    command = [*host, connector, "--fixture", str(case)]
    run = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    members = [json.loads(line) for line in run.stdout.splitlines() if line.strip()]
    code = None
    if run.returncode != 0:
        try:
            code = json.loads(run.stderr.splitlines()[-1])["error"]["code"]
        except (IndexError, KeyError, TypeError, ValueError):
            code = "(no error as the last line)"
    return run.returncode, members, code


def breach(expected, came):
    """What is wrong, or `None`."""
    exit_code, members, code = came
    error = expected["error"]
    if error is None:
        if exit_code != 0:
            return f"a complete list was expected, and it failed as `{code}`"
        if members != expected["rows"]:
            return f"other members than expected: {len(members)} of {len(expected['rows'])}"
        return None
    if exit_code == 0:
        return (
            f"it calls a list of {len(members)} complete, and it is not: `{error['code']}`"
        )
    if code != error["code"]:
        return f"it failed as `{code}`, expected was `{error['code']}`"
    return None


def main(arguments):
    if "--" not in arguments or arguments.index("--") != 2 or len(arguments) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    cases, connector, host = pathlib.Path(arguments[0]), arguments[1], arguments[3:]
    failed = passed = 0
    for expected in sorted(cases.glob("*/expected.json")):
        collect = json.loads(expected.read_text("utf-8")).get("collect")
        # Without a collection, wrong settings were refused before.
        if not isinstance(collect, dict):
            continue
        wrong = breach(collect, ended(host, connector, expected.parent))
        print(f"{'fail' if wrong else 'ok  '}  {expected.parent.name}{': ' + wrong if wrong else ''}")
        failed += wrong is not None
        passed += wrong is None
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
