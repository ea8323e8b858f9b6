"""Ends a consumer that has work and makes no progress, so that its supervisor restarts it.

aiokafka has defects (issues 847 and 1145 there) that leave a consumer alive and deaf; a restart
heals them, and offsets in PostgreSQL make a restart harmless.
"""

from dataclasses import dataclass, replace


class StalledError(RuntimeError):
    """There is lag, and nothing has moved for too long."""


@dataclass(frozen=True)
class Watchdog:
    """A value: ``observe`` returns the next one. Times are seconds on a monotonic clock."""

    patience_seconds: float = 60.0
    position: int = -1
    moved_at: float = 0.0

    def observe(self, position: int, lag: int, now: float) -> "Watchdog":
        """Take note of the position (it only grows) and of the records behind.

        Raises ``StalledError`` after ``patience_seconds`` of lag without a move.
        """
        if lag <= 0 or position != self.position:
            return replace(self, position=position, moved_at=now)
        if now - self.moved_at > self.patience_seconds:
            message = f"{lag} records behind and no progress for {self.patience_seconds:.0f} s"
            raise StalledError(message)
        return self
