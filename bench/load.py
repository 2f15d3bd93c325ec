# SPDX-License-Identifier: Apache-2.0
"""Notices work of others on the machine while something is timed, on Linux: the time that processors
were busy, or taken by other guests of the same host, without that of this process and of the processes
that are timed."""
import os

OTHERS = 0.03 # part of the processors that others may take while something is timed
TICK = 1 / os.sysconf("SC_CLK_TCK")
IDLE, WAITING, GUEST = 3, 4, 8 # columns of /proc/stat; what follows is counted in others already


def busy():
    """Seconds that all processors were not idle."""
    with open("/proc/stat", encoding="ascii") as file:
        columns = [int(word) for word in file.readline().split()[1:]]
    return TICK * sum(columns[i] for i in range(min(GUEST, len(columns)))
                      if i not in (IDLE, WAITING))


def used_by(process):
    """Seconds of a process with all of its threads; 0 if it has ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return TICK * (int(fields[11]) + int(fields[12]))


class Watch:
    """Begins with its creation. `share` is the part of the processors in use, `threads` of `count`,
    that others took meanwhile: what would have fitted on the other processors does not count."""

    def __init__(self, processes, threads):
        self.processes = [os.getpid(), *processes]
        self.spare = max(0, os.cpu_count() - threads)
        self.threads = threads
        self.before = self.others()

    def others(self):
        return busy() - sum(map(used_by, self.processes))

    def share(self, seconds):
        """Of a time that took so many seconds."""
        taken = self.others() - self.before - self.spare * seconds
        return max(0, taken) / (self.threads * seconds)
