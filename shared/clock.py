"""The one place that reads a clock; everything else takes ``now``."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds on a clock that never goes back; only differences mean something."""
    return time.monotonic()
