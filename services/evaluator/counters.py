"""The limits' counters as one transaction sees them: how much is held, used and free.

A counter counts redemptions or, for a limit on money, minor units. What a limit's id says of it is
written down in ``services.evaluator.promotion.limits``.

A rolling limit's uses are kept by their time. For a cart at t, with ``since`` = t − N days, free is
cap − held − all uses after ``since``, also those later than t: of any uses within N days of each
other the one that was let in last has counted all the others, so that no window of N days ever holds
more than the cap, however late an event comes. Uses of a minute are counted together, at its end:
they may leave the window up to a minute late, never early.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from services.evaluator.promotion.limits import Limit

_ROLLING = re.compile(r"@([0-9]+)d$")
_MINUTE = timedelta(minutes=1)


class Taken(NamedTuple):
    """What a redemption takes of a limit: 1, or minor units of a limit on money."""

    limit_id: str
    amount: int


def rolling_days(limit_id: str) -> int | None:
    """How many days a rolling limit counts; None for others."""
    found = _ROLLING.search(limit_id) if "@" in limit_id else None
    return int(found[1]) if found else None


def counts_money(limit_id: str) -> bool:
    """Whether it is a limit on money: ``…/~customer.money=C17@30d``."""
    _, special, name = limit_id.rpartition("/~")
    return bool(special) and "money" in re.split("[=@]", name, maxsplit=1)[0].split(".")


def minute_of(at: datetime) -> datetime:
    """The end of the minute that a use at this instant is counted in, in UTC."""
    at = at.astimezone(UTC)
    minute = at.replace(second=0, microsecond=0)
    return minute if minute == at else minute + _MINUTE


@dataclass
class Counter:
    """A limit's count; ``cap`` − ``held`` − ``used`` are free.

    Of a rolling limit ``uses`` are known by their minutes, all those after ``known_since``; what is
    after every instant that will be asked for may be counted in ``recent`` instead.
    """

    cap: int
    held: int = 0
    used: int = 0
    recent: int = 0
    uses: dict[datetime, int] = field(default_factory=dict)
    known_since: datetime | None = None

    def free(self, since: datetime | None = None, cap: int | None = None) -> int:
        """What is left, under another cap if one is given; ``since`` is a rolling limit's.

        Negative only when a cap was lowered below what is in use. Raises ``ValueError`` for an
        instant whose uses were not loaded.
        """
        left = (self.cap if cap is None else cap) - self.held
        if since is None:
            return left - self.used
        if self.known_since is not None and since < self.known_since:
            message = f"uses are known after {self.known_since}, not after {since}"
            raise ValueError(message)
        return left - self.recent - sum([n for at, n in self.uses.items() if at > since])


class Counters:
    """A transaction's working copy of the counters it has locked.

    ``moved`` are the changes of rolling limits' uses, by limit and minute.
    """

    def __init__(self, counters: dict[str, Counter]) -> None:
        self._counters = counters
        self.changed: set[str] = set()
        self.moved: dict[tuple[str, datetime], int] = {}

    def __contains__(self, limit_id: str) -> bool:
        """Whether it has been met."""
        return limit_id in self._counters

    def __getitem__(self, limit_id: str) -> Counter:
        return self._counters[limit_id]

    def free(self, limit: Limit) -> int:
        """What is left of ``limit``; one never met is untouched."""
        counter = self._counters.get(limit.limit_id)
        return limit.cap if counter is None else counter.free(limit.since, limit.cap)

    def has_room(self, taken: Iterable[Taken], since: datetime | None) -> bool:
        """Whether there is room for all that is taken; rolling limits count uses after ``since``."""
        return all(
            not amount
            or self._counters[limit_id].free(since if rolling_days(limit_id) else None) >= amount
            for limit_id, amount in taken
        )

    def move(
        self, taken: Iterable[Taken], *, held: int = 0, used: int = 0, at: datetime | None = None
    ) -> None:
        """Count what is taken as held or used so many times more (−1: no more).

        ``at`` is when it was or is used. Raises ``ValueError`` if a rolling limit is used without it.
        """
        for limit_id, amount in taken:
            counter = self._counters[limit_id]
            counter.held += held * amount
            counter.used += used * amount
            self.changed.add(limit_id)
            if used and rolling_days(limit_id):
                self._move_use(limit_id, used * amount, at)

    def _move_use(self, limit_id: str, amount: int, at: datetime | None) -> None:
        if at is None:
            message = f"{limit_id}: a rolling limit is used at some time"
            raise ValueError(message)
        minute = minute_of(at)
        uses = self._counters[limit_id].uses
        uses[minute] = uses.get(minute, 0) + amount
        self.moved[limit_id, minute] = self.moved.get((limit_id, minute), 0) + amount
