"""When a process that died is started again, and when we stop trying."""

from dataclasses import dataclass, replace

_WINDOW_S = 60.0
_MAX_CRASHES = 6
_DELAYS_S = (0.0, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Restarts:
    """The recent crashes of one process, as times in seconds on a monotonic clock."""

    crashes: tuple[float, ...] = ()
    count: int = 0

    def crashed(self, now: float) -> "Restarts":
        """The process has ended by its own fault, or before it was ready."""
        recent = tuple(at for at in self.crashes if at > now - _WINDOW_S)
        return Restarts((*recent, now), self.count + 1)

    def interrupted(self) -> "Restarts":
        """The process was killed from outside, or lost what it depends on: not its own fault.

        Counting these would let a fault test, or an operator's kill, take down the whole stack.
        """
        return replace(self, count=self.count + 1)

    @property
    def gives_up(self) -> bool:
        """Whether it has crashed so often that another start is pointless."""
        return len(self.crashes) >= _MAX_CRASHES

    @property
    def delay_s(self) -> float:
        """How long to wait before the next start: the first is at once, tests wait for it."""
        if not self.crashes:
            return 0.0
        return _DELAYS_S[min(len(self.crashes), len(_DELAYS_S)) - 1]

    @property
    def summary(self) -> str:
        """Why we gave up, for the error."""
        return f"ended {len(self.crashes)} times within {_WINDOW_S:.0f} seconds"
