"""Which process a pid means: a pid alone may by now belong to somebody else."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from shared import clock

_PROC = Path("/proc")
_STATE, _THREADS, _STARTED = 0, 17, 19  # fields of /proc/<pid>/stat, counted after the process name
_POLL_S = 0.02


@dataclass(frozen=True)
class Identity:
    """A process: its pid, its start (ticks since boot) and the boot those ticks belong to."""

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The process that has ``pid`` now; None if there is none, or only a zombie."""
        fields = _stat(pid)
        if fields is None or _ended(fields):
            return None
        return cls(pid, int(fields[_STARTED]), _boot())

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return Identity.of(self.pid) == self

    def uptime_s(self) -> float:
        """Seconds since the process started."""
        up_s = float((_PROC / "uptime").read_text().split()[0])
        return max(0.0, up_s - self.started / os.sysconf("SC_CLK_TCK"))

    def end(self, first: signal.Signals, grace_s: float) -> None:
        """Send ``first``, and SIGKILL if the process is still there after ``grace_s`` seconds."""
        self._signal(first)
        if not self.wait(grace_s):
            self._signal(signal.SIGKILL)
            self.wait(grace_s)

    def wait(self, timeout_s: float) -> bool:
        """Wait until the process is gone; False if it still is after ``timeout_s`` seconds."""
        end = clock.monotonic() + timeout_s
        while self.alive():
            if clock.monotonic() > end:
                return False
            time.sleep(_POLL_S)
        return True

    def _signal(self, number: signal.Signals) -> None:
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name stands in parentheses and may itself hold spaces and parentheses.
    return text.rpartition(")")[2].split()


def _ended(fields: list[str]) -> bool:
    # A zombie with threads is still going down: its files and ports are not free yet.
    return fields[_STATE] == "X" or (fields[_STATE] == "Z" and fields[_THREADS] in ("0", "1"))


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
