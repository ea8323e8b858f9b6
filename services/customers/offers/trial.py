"""A dry run: whom a policy would make an offer today. It reads, and writes nothing."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from services.customers.offers import backing
from services.customers.offers.answers import NoteView, Skipped, StepReached, Trial
from services.customers.offers.plan import Plan, Skip, held_back
from services.customers.offers.planning import Table
from services.customers.offers.policy import Policy
from services.customers.offers.store import sales as sales_store
from services.customers.offers.store.policies import Kept
from services.customers.offers.view import Knowledge
from shared.database import Connection

MOST_CHECKED = 2_000
"""Of more customers so many are drawn by lot: the answer is waited for by somebody who types."""
_TOGETHER = 250


@dataclass
class _Sums:
    """What was found of the customers checked so far."""

    reached: Counter[int] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    held_back: int = 0
    codes: int = 0
    cost: int = 0
    times: list[datetime] = field(default_factory=list)


async def tried(pool: asyncpg.Pool, knowledge: Knowledge, policy: Policy, now: datetime) -> Trial:
    """What would come of the policy if it ran now."""
    kept = Kept(policy, 0, "running", now, now, "")
    sums = _Sums()
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        customers: int = await connection.fetchval("select count(*) from profiles")
        drawn = await _drawn(connection, customers)
        for ids in _chunks(drawn):
            await _check(connection, knowledge, kept, ids, sums, now)
            await asyncio.sleep(0)  # others wait, too
        emissions = {step.emission_id for step in policy.steps}
        backings = await sales_store.backings(connection, emissions)
    notes = [NoteView.of(one) for one in backing.check(policy, backings, now)]
    return _answer(customers, len(drawn), sums, notes)


async def _drawn(connection: Connection, customers: int) -> list[str]:
    """The customers to be checked: all of them, or as many as can be, always the same while there are as many."""
    if customers <= MOST_CHECKED:
        rows = await connection.fetch("select customer_id from profiles order by customer_id")
    else:
        rows = await connection.fetch(
            "select customer_id from profiles tablesample bernoulli ($1) repeatable (1)"
            " order by customer_id limit $2",
            100 * MOST_CHECKED / customers,
            2 * MOST_CHECKED,
        )
    return [row["customer_id"] for row in rows]


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _TOGETHER] for start in range(0, len(ids), _TOGETHER))


async def _check(
    connection: Connection,
    knowledge: Knowledge,
    kept: Kept,
    customer_ids: Sequence[str],
    sums: _Sums,
    now: datetime,
) -> None:
    policy = kept.policy
    table = await Table.set_up(connection, knowledge, {policy.policy_id: kept}, customer_ids, now)
    # The budget goes on from one chunk to the next.
    table.codes[policy.policy_id] = table.codes.get(policy.policy_id, 0) + sums.codes
    table.cost[policy.policy_id] = table.cost.get(policy.policy_id, 0) + sums.cost
    for customer_id in table.customers:
        match table.decide(kept, customer_id, now):
            case Skip(reason):
                sums.skipped[reason] += 1
            case Plan() as plan:
                sums.reached[plan.step] += 1
                sums.times.append(plan.send_at)
                if held_back(policy.policy_id, customer_id, policy.control_share):
                    sums.held_back += 1
                    continue
                sums.codes += 1
                sums.cost += plan.cost
                table.codes[policy.policy_id] += 1
                table.cost[policy.policy_id] += plan.cost


def _answer(customers: int, checked: int, sums: _Sums, notes: Sequence[NoteView]) -> Trial:
    def of_all(found: int) -> int:
        return found if checked >= customers else round(found * customers / max(checked, 1))

    return Trial(
        customers=customers,
        checked=checked,
        reached=of_all(sums.reached.total()),
        held_back=of_all(sums.held_back),
        cost=of_all(sums.cost),
        steps=tuple(
            StepReached(step=step, customers=of_all(count))
            for step, count in sorted(sums.reached.items())
        ),
        skipped=tuple(
            Skipped(reason=reason, customers=of_all(count))  # type: ignore[arg-type]  # a counter's keys are texts
            for reason, count in sums.skipped.most_common()
        ),
        first_at=min(sums.times, default=None),
        last_at=max(sums.times, default=None),
        notes=tuple(notes),
    )
