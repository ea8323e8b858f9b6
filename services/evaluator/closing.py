"""Closes periods: gives what was earned in them, once they have ended and their sales were read.

A period is closed ``GRACE`` after its end, once the sales have been read past that; customers by
customer, in pages, each page a transaction that also notes how far it came: whatever is killed when,
everybody gets theirs once. Who is given something and who takes the last slot of a limit is decided in
the database's order of customers, periods in the order of their ends.

A purchase that comes too late has its customer looked at again: what is missing is given then, and
never taken back. What comes back of a sale after its period was closed changes nothing.

The campaign's latest definition counts. One that is paused or finished owes the periods that ended
before it stopped; those that end while it is paused wait until it runs again.
"""

import asyncio
import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from services.evaluator import bonuses, checkout, outgoing
from services.evaluator.account import Lot
from services.evaluator.bonuses import PeriodReward
from services.evaluator.counters import Taken
from services.evaluator.promotion.period import Window
from services.evaluator.promotion.period_end import (
    GRACE,
    Buyer,
    PeriodEnd,
    compile_period_ends,
)
from services.evaluator.redemption import Key
from services.evaluator.store import accounts as account_store
from services.evaluator.store import blocks as block_store
from services.evaluator.store import closing as closing_store
from services.evaluator.store import ledger
from services.evaluator.store import limits as limit_store
from services.evaluator.store import reference as reference_store
from services.evaluator.store.closing import Progress
from shared import outbox
from shared.database import Connection

_PAGE = 200
_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled instrument, and since when its campaign has not been running."""

    end: PeriodEnd
    stopped_at: datetime | None

    def next(self, reached: Progress | None) -> Window | None:
        """The next period to close, the one begun first; None if nothing more is owed."""
        after = None
        if reached is not None:
            # By its first instant, or by one that is not closed: a period whose end was moved is
            # still itself, and is closed again for what was added.
            after = reached.end if reached.closed else reached.start
        window = next(self.end.windows(after), None)
        if window is None or (self.stopped_at is not None and window.end > self.stopped_at):
            return None
        return window


Turn = tuple[datetime, str, int, Key]
"""Whose period is closed when: its end, then the campaign, then the position in it."""


@dataclass
class Closing:
    """Looks for periods that are over every ``interval_seconds``; takes ``page`` customers at once."""

    pool: asyncpg.Pool
    interval_seconds: float = 1.0
    page: int = _PAGE
    _version: int = _UNKNOWN
    _plans: dict[Key, Plan] = field(default_factory=dict)
    _queue: list[Turn] = field(default_factory=list)
    """A heap. An entry may be earlier than what is due, after others have closed it; never later."""

    async def run(self) -> None:
        """Close periods until cancelled."""
        while True:
            if not await self.close_some():
                await asyncio.sleep(self.interval_seconds)

    async def close_some(self) -> bool:
        """Look at some customers, in one transaction; False if there was nothing to do."""
        async with self.pool.acquire() as connection, connection.transaction():
            until = await checkout.sales_read_until(connection)
            if until is None or not await closing_store.take_turn(connection):
                return False
            await self._learn(connection)
            late = await closing_store.take_late(connection, self.page)
            if late:
                await self._look_again(connection, late)
                return True
            return await self._close_page(connection, until - GRACE)

    async def _learn(self, connection: Connection) -> None:
        """Keep up with the campaigns; they stay as they are until the transaction ends."""
        versions, _ = await reference_store.ruleset_versions(connection, lock=True)
        version = versions.rules
        if version == self._version:
            return
        changed = await closing_store.campaigns_since(connection, self._version)
        fresh = {
            end.key: Plan(end, stopped_at)
            for campaign, stopped_at in changed.values()
            for end in (compile_period_ends(campaign) if campaign else ())
        }
        reached = await closing_store.progress(connection, fresh.keys())
        kept = {key: plan for key, plan in self._plans.items() if key[0] not in changed}
        queue = [turn for turn in self._queue if turn[-1] in kept]
        for key, plan in fresh.items():
            if window := plan.next(reached.get(key)):
                queue.append(_turn(plan, window))
        heapq.heapify(queue)
        self._plans, self._queue, self._version = kept | fresh, queue, version

    async def _close_page(self, connection: Connection, until: datetime) -> bool:
        while self._queue and self._queue[0][0] <= until:
            end, _, _, key = self._queue[0]
            plan = self._plans[key]
            reached = (await closing_store.progress(connection, [key])).get(key)
            window = plan.next(reached)
            if window is None:
                heapq.heappop(self._queue)
            elif window.end != end:
                heapq.heapreplace(self._queue, _turn(plan, window))
            else:
                await self._close(connection, plan, window, reached)
                return True
        return False

    async def _close(
        self, connection: Connection, plan: Plan, window: Window, reached: Progress | None
    ) -> None:
        """Take the next page of its customers. The queue moves on once that is committed."""
        last = "" if reached is None or reached.closed else reached.last_customer
        customers = await closing_store.buyers_after(connection, last, window, self.page)
        await _reward(connection, [(plan.end, window, customers)])
        after = Progress(
            window.start,
            window.end,
            customers[-1] if customers else last,
            closed=len(customers) < self.page,
        )
        await closing_store.save_progress(connection, plan.end.key, after)

    async def _look_again(self, connection: Connection, late: Mapping[datetime, set[str]]) -> None:
        """Give customers of late purchases what is missing, of periods that have been closed."""
        reached = await closing_store.progress(connection, self._plans.keys())
        customers: dict[tuple[Key, Window], set[str]] = {}
        for key, progress in reached.items():
            await asyncio.sleep(0)  # there may be many: heartbeats must get through
            for at, ids in late.items():
                window = self._plans[key].end.window(at)
                if window is not None and window.end <= progress.end:
                    customers.setdefault((key, window), set()).update(ids)
        looks = [
            (self._plans[key].end, window, sorted(ids)) for (key, window), ids in customers.items()
        ]
        looks.sort(key=lambda look: (look[1].end, look[0].key))
        await _reward(connection, looks)


def _turn(plan: Plan, window: Window) -> Turn:
    return window.end, plan.end.campaign.campaign_id, plan.end.position, plan.end.key


Look = tuple[PeriodEnd, Window, Sequence[str]]
"""A period and the customers to be looked at."""


async def _reward(connection: Connection, looks: Sequence[Look]) -> None:
    """Give customers what they have earned and not been given yet.

    All limits are locked at once, in their order, then all accounts: carts wait for some of them, too.
    """
    earned: list[PeriodReward] = []
    caps: dict[str, int | None] = {}
    for end, window, customers in looks:
        if customers:
            earned += await _earned(connection, end, window, customers, caps)
    rewards = await _take_limits(connection, earned, caps) if caps else earned
    if rewards:
        now = await ledger.now(connection)
        earning = {reward.customer_id for reward in rewards}
        await closing_store.save_rewards(connection, rewards, now)
        accounts = await account_store.lock_accounts(connection, earning, now, earning=earning)
        for reward in rewards:
            accounts.accrue(reward.customer_id, _lot(reward), reward.cause)
        await account_store.save_accounts(connection, accounts)
        messages = outgoing.movement_messages(accounts.movements)
        await outbox.put(connection, messages, outgoing.SOURCE, now)


def _lot(reward: PeriodReward) -> Lot:
    return Lot(
        reward.entry_id, reward.campaign_id, reward.points, reward.active_at, reward.expires_at
    )


async def _earned(
    connection: Connection,
    end: PeriodEnd,
    window: Window,
    customers: Sequence[str],
    caps: dict[str, int | None],
) -> list[PeriodReward]:
    """What is missing of what they have earned, in their order; adds the limits it takes to caps."""
    known = await reference_store.known_customers(connection, customers)
    bought = await closing_store.purchases_within(connection, customers, window)
    given = await closing_store.points_given(connection, end.key, window.start, customers)
    blocked = await block_store.blocked_customers(connection, customers, window.end)
    earned = []
    for customer_id in customers:
        await asyncio.sleep(0)  # carts must not wait for a whole page
        about = known[customer_id]
        buyer = Buyer(
            customer_id,
            about.groups,
            about.segments,
            bought[customer_id],
            blocked=customer_id in blocked,
        )
        before = given.get(customer_id, 0)
        missing = end.points(buyer, window) - before
        if missing > 0:
            # Its slots were taken with the first points.
            claims = [] if before else end.claims(customer_id, window)
            caps |= {claim.limit.limit_id: claim.limit.cap for claim in claims}
            taken = tuple([Taken(claim.limit.limit_id, claim.amount) for claim in claims])
            period = window.start, window.end
            lifetime = end.benefit.active_after_days, end.benefit.expires_after_days
            earned.append(
                bonuses.reward(end.key, customer_id, period, missing, before, taken, lifetime)
            )
    return earned


async def _take_limits(
    connection: Connection, earned: Sequence[PeriodReward], caps: Mapping[str, int | None]
) -> list[PeriodReward]:
    """Those of the rewards that there is room for, in their order."""
    counters = await limit_store.lock_limits(connection, caps)
    rewards = []
    for reward in earned:
        if counters.has_room(reward.taken, None):
            counters.move(reward.taken, used=1, at=reward.end)
            rewards.append(reward)
    await limit_store.save_limits(connection, counters)
    return rewards
