"""The limits' counters as one transaction sees them: how much is held, leased, used and free.

A counter counts redemptions or, for a limit on money, minor units. What a limit's id says of it is
written down in ``services.evaluator.promotion.limits``.

A rolling limit's uses are kept by their time. For a cart at t, with ``since`` = t − N days, free is
cap − held − leased − all uses after ``since``, also those later than t: of any uses within N days of each
other the one that was let in last has counted all the others, so that no window of N days ever holds
more than the cap, however late an event comes. Uses of a minute are counted together, at its end:
they may leave the window up to a minute late, never early.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from services.evaluator import lease as leases
from services.evaluator.lease import Lease
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
    """A limit's count; ``cap`` − ``held`` − ``leased`` − ``used`` are free.

    Of a rolling limit ``uses`` are known by their minutes, all those after ``known_since``; what is
    after every instant that will be asked for may be counted in ``recent`` instead.
    """

    cap: int
    held: int = 0
    used: int = 0
    recent: int = 0
    uses: dict[datetime, int] = field(default_factory=dict)
    known_since: datetime | None = None
    leased: int = 0

    def free(self, since: datetime | None = None, cap: int | None = None) -> int:
        """What is left, under another cap if one is given; ``since`` is a rolling limit's.

        Negative only when a cap was lowered below what is in use. Raises ``ValueError`` for an
        instant whose uses were not loaded.
        """
        left = (self.cap if cap is None else cap) - self.held - self.leased
        if since is None:
            return left - self.used
        if self.known_since is not None and since < self.known_since:
            message = f"uses are known after {self.known_since}, not after {since}"
            raise ValueError(message)
        return left - self.recent - sum([n for at, n in self.uses.items() if at > since])


class Counters:
    """A transaction's working copy of the counters it has locked.

    ``moved`` are the changes of rolling limits' uses, by limit and minute. ``leases`` are those that were
    named, of these limits: a limit's row is the lock of its leases. ``granted`` are new ones, ``drawn``
    those that were used or ended.
    """

    def __init__(
        self, counters: dict[str, Counter], leases: Mapping[str, Lease] | None = None
    ) -> None:
        self._counters = counters
        self._leases = dict(leases or {})
        self.granted: dict[str, Lease] = {}
        self.drawn: dict[str, Lease] = {}
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

    def lease(self, lease_id: str) -> Lease | None:
        """One of the leases that were named, as it is now."""
        return self._leases.get(lease_id)

    def left_of(self, lease_ids: Iterable[str]) -> dict[str, int]:
        """What is left of leases, by their limits."""
        left: dict[str, int] = {}
        for lease in [self._leases[lease_id] for lease_id in set(lease_ids)]:
            left[lease.limit_id] = left.get(lease.limit_id, 0) + lease.left
        return left

    def grant(self, lease: Lease) -> None:
        """Keep a lease's amount for its store; the caller knows that it is free."""
        self._counters[lease.limit_id].leased += lease.amount
        self.granted[lease.lease_id] = lease
        self._put(lease)

    def covered(self, taken: Iterable[Taken], lease_id: str) -> Taken | None:
        """The part of what is taken that a lease has left: all of a limit's, or none."""
        lease = self._leases[lease_id]
        for one in taken:
            if one.limit_id == lease.limit_id and 0 < one.amount <= lease.left:
                return one
        return None

    def draw(self, lease_id: str, amount: int) -> None:
        """Take so much of a lease, which is leased no more; the caller counts it as used."""
        lease = leases.take(self._leases[lease_id], amount)
        self._counters[lease.limit_id].leased -= amount
        self._put(lease)

    def end_lease(self, lease_id: str, now: datetime) -> Lease:
        """Free what is left of a lease; once, however often it is ended."""
        lease = self._leases[lease_id]
        ended = leases.end(lease, now)
        if ended is not lease:
            self._counters[lease.limit_id].leased -= lease.left
            self._put(ended)
        return ended

    def _put(self, lease: Lease) -> None:
        self._leases[lease.lease_id] = lease
        kept = self.granted if lease.lease_id in self.granted else self.drawn
        kept[lease.lease_id] = lease
        self.changed.add(lease.limit_id)

    def _move_use(self, limit_id: str, amount: int, at: datetime | None) -> None:
        if at is None:
            message = f"{limit_id}: a rolling limit is used at some time"
            raise ValueError(message)
        minute = minute_of(at)
        uses = self._counters[limit_id].uses
        uses[minute] = uses.get(minute, 0) + amount
        self.moved[limit_id, minute] = self.moved.get((limit_id, minute), 0) + amount
