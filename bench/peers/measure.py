"""Runs one command and prints its cost, as one line of JSON.

    python3 -I -S measure.py plain|watched SECONDS OUTPUT ERRORS COMMAND…

It is a small separate process, because Linux counts the memory of a command's parent into the command's peak: this file's own memory, some
10 MiB, is the least that it can report. The figures cover the command and every process that it started and waited for; a process that
outlives it is reported and ended. `watched` also counts the processes every 20 ms, which disturbs the figures.
"""

import os
import signal
import sys
import time


def size_of(group: int) -> int:
    """Number of processes in the group."""
    count = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            count += int(fields[2]) == group and fields[0] != "Z"
    return count


def main() -> None:
    mode, bound, output, errors, *command = sys.argv[1:]
    watched = mode == "watched"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, errors, flags, 0o644),
    ]
    begin = time.monotonic()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=actions, setpgroup=0)

    def end(*_: object) -> None:
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, end)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.alarm(int(bound))
    processes = 0
    while watched and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        processes = max(processes, size_of(child))
        time.sleep(0.02)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - begin
    signal.alarm(0)
    try:
        os.killpg(child, signal.SIGKILL)
        left = "true"
    except ProcessLookupError:
        left = "false"
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f'{{"exit": {os.waitstatus_to_exitcode(status)}, "wall_s": {wall:.4f}, "cpu_s": {cpu:.4f}, "peak_kib": {usage.ru_maxrss}, '
        f'"processes": {processes}, "outlived": {left}}}'
    )


main()
