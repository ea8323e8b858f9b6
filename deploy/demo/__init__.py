"""The demo: a year of real baskets, decided at the checkout and counted live."""

from pathlib import Path


def run(baskets: int | None, state: Path | None) -> int:
    """Replay the year's last ``baskets`` baskets (None: all) on a fresh stack; the exit status.

    0 only if everything reconciles. The stack lives in ``<state>/demo`` (``state`` None: the default
    state directory) and is wiped at the start, so that each run counts from zero.
    """
    from deploy.demo.performance import run as perform  # noqa: PLC0415 - needs the extra `demo`

    return perform(baskets, state)
