"""Planning: who is made an offer, what is sent, what is over – a chunk at a time, each in one transaction.

One process plans at a time (an advisory lock): so budgets and caps are kept whatever is decided meanwhile. Who
changed is considered within a second; once a day everybody is, because days pass without anybody doing anything.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import asyncpg

from services.customers.feed.forgotten import hold_off_erasure
from services.customers.metrics import OFFERS_OVERDUE
from services.customers.offers import announcing, life, moment, sales
from services.customers.offers.life import Record
from services.customers.offers.plan import (
    LEAD,
    Customer,
    Earlier,
    Plan,
    Raise,
    Situation,
    Skip,
    asked_of,
    decide,
    every_rule,
    held_back,
)
from services.customers.offers.policy import Cap
from services.customers.offers.store import candidates, outcomes, policies, records
from services.customers.offers.store import sales as sales_store
from services.customers.offers.store.outcomes import Window
from services.customers.offers.store.policies import Kept
from services.customers.offers.view import Knowledge
from shared import clock
from shared.database import Connection

MOST = 200
"""Offers, or customers, of one transaction."""
_LOCK = 0x7111_0FFE
_PAST = timedelta(days=400)
_NOBODY = ""


@dataclass(frozen=True)
class Planning:
    """Plans by what is known of customers."""

    pool: asyncpg.Pool
    knowledge: Knowledge

    async def run(self) -> None:
        """Do all that is due."""
        while await self.plan_due(clock.now()):
            pass

    async def plan_due(self, now: datetime) -> bool:
        """Do some of what is due at ``now``; whether there may be more."""
        async with self.pool.acquire() as connection:
            if not await candidates.waiting(connection, now):
                OFFERS_OVERDUE.set(0)
                return False
            async with connection.transaction():
                await hold_off_erasure(connection)
                if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK):
                    return False
                return await Turn(connection, self.knowledge, now).take()

    async def forget(self) -> None:
        """Clear what is kept no longer."""
        now = clock.now()
        async with self.pool.acquire() as connection, connection.transaction():
            await records.forget(connection, now)
            before = now.date() - timedelta(days=sales.KEPT_DAYS)
            await sales_store.forget(connection, before)


@dataclass
class Turn:
    """One chunk of planning, in the caller's transaction."""

    connection: Connection
    knowledge: Knowledge
    now: datetime
    changes: list[records.Change] = field(default_factory=list)
    dropped: list[Record] = field(default_factory=list)
    begun: list[Record] = field(default_factory=list)
    """Offers whose time has come: a code is asked for, or withheld."""

    async def take(self) -> bool:
        """Do a chunk; whether there may be more."""
        due = await records.due(self.connection, self.now, MOST)
        OFFERS_OVERDUE.set(
            (self.now - due[0].due_at).total_seconds() if due and due[0].due_at else 0
        )
        running = await policies.running(self.connection)
        waiting = await candidates.take(self.connection, self.now, MOST)
        scanned = await candidates.scanned(self.connection, self.now.date(), MOST)
        considered = {*waiting, *scanned} if running else set()
        known = {one.policy.policy_id: one for one in running}
        known |= await policies.these(
            self.connection, {one.policy_id for one in due} - known.keys()
        )
        asked = considered | {
            one.customer_id for one in due if one.status in ("planned", "offered")
        }
        table = await Table.set_up(self.connection, self.knowledge, known, asked, self.now)
        for record in due:
            self._advance(record, table, known[record.policy_id])
        for customer_id in sorted(considered):
            self._consider(customer_id, table, running)
        saved = await self._save(known)
        again = any(one.due_at is not None and one.due_at <= self.now for one in saved)
        return again or max(len(due), len(waiting), len(scanned)) == MOST

    def _advance(self, record: Record, table: "Table", kept: Kept) -> None:
        """What time makes of an offer."""
        if record.status == "planned":
            self._settle(record, table, kept)
            return
        after = life.due(record, kept.policy, self.now, running=kept.running)
        self.changes.append((record, after))
        if after.status == "expired":
            self._raise(after, table, kept)

    def _raise(self, record: Record, table: "Table", kept: Kept) -> None:
        """The next step for who did not use this one."""
        wanted = life.next_step(kept.policy, record)
        if wanted is None or not kept.running:
            return
        found = table.decide(kept, record.customer_id, self.now, after=wanted, but=record.offer_id)
        if isinstance(found, Plan):
            new = life.planned(
                _new_id(),
                kept.policy,
                kept.version,
                record.customer_id,
                found,
                self.now,
                before=record,
            )
            self.changes.append((None, new))
            table.note(new)

    def _settle(self, record: Record, table: "Table", kept: Kept) -> None:
        """Decide for good about a planned offer: all may be otherwise since."""
        found: Plan | Skip = Skip("not_running")
        if kept.running:
            found = table.decide(
                kept, record.customer_id, self.now, after=life.after(record), but=record.offer_id
            )
        if isinstance(found, Skip):
            table.forget(record)
            if record.raised_from is None:
                self.dropped.append(record)
            else:
                self.changes.append((record, life.withdrawn(record, found.reason, self.now)))
            return
        planned = life.replanned(record, kept.version, found, self.now)
        if planned.send_at - LEAD > self.now:
            self.changes.append((record, planned))
            return
        self.begun.append(planned)
        self.changes.append((record, planned))
        table.spend(planned, kept)

    def _consider(self, customer_id: str, table: "Table", running: Sequence[Kept]) -> None:
        """What the policies have for a customer, one after the other."""
        for kept in running:
            found = table.decide(kept, customer_id, self.now)
            if isinstance(found, Plan):
                new = life.planned(
                    _new_id(), kept.policy, kept.version, customer_id, found, self.now
                )
                self.changes.append((None, new))
                table.note(new)

    async def _save(self, known: Mapping[str, Kept]) -> list[Record]:
        """Write what was decided, and return it; only here it is looked at who is in a control group."""
        first = await outcomes.first_time(
            self.connection,
            [(one.policy_id, one.customer_id) for one in self.begun if one.raised_from is None],
        )
        begun: dict[str, Record] = {}
        windows: list[Window] = []
        for one in self.begun:
            policy = known[one.policy_id].policy
            measured = one.raised_from is None and (one.policy_id, one.customer_id) in first
            # Nobody is in it for a step that follows one that was sent.
            control = one.raised_from is None and held_back(
                one.policy_id, one.customer_id, policy.control_share
            )
            begun[one.offer_id] = (
                life.held_back(one, policy, self.now, measured=measured)
                if control
                else life.requested(one, self.now, measured=measured)
            )
            if measured:
                windows += _windows(one, known[one.policy_id], control=control)
        changes = [(before, begun.get(after.offer_id, after)) for before, after in self.changes]
        await records.remove(self.connection, self.dropped)
        await records.save(self.connection, changes)
        await outcomes.open_windows(self.connection, windows)
        await announcing.tell(self.connection, changes, self.now)
        return [after for _, after in changes]


def _windows(record: Record, kept: Kept, *, control: bool) -> list[Window]:
    """The days of all steps, and those of each, as they would be if each were sent as soon as may be."""
    policy = kept.policy
    steps = policy.steps[record.step - 1 :]
    spans = moment.windows(steps, policy.wait_days, record.send_at, ZoneInfo(record.zone))
    numbered = [(0, spans[0][0], spans[-1][1])]
    numbered += [(record.step + n, starts, ends) for n, (starts, ends) in enumerate(spans)]
    return [
        Window(record.policy_id, record.customer_id, step, control, starts, ends, record.currency)
        for step, starts, ends in numbered
    ]


def _new_id() -> str:
    return f"o-{uuid4().hex}"


@dataclass
class Table:
    """What decisions of a chunk are made by. It follows what was decided: the next one sees it."""

    customers: Mapping[str, Customer]
    earlier: dict[str, list[Earlier]]
    situations: Mapping[str, Situation]
    codes: dict[str, int]
    cost: dict[str, int]

    @classmethod
    async def set_up(
        cls,
        connection: Connection,
        knowledge: Knowledge,
        known: Mapping[str, Kept],
        customer_ids: Collection[str],
        now: datetime,
    ) -> "Table":
        """Gather it for these policies and customers."""
        if not customer_ids:
            return cls({}, {}, {}, {}, {})
        customers = await knowledge.customers(connection, customer_ids)
        past = await records.earlier(connection, list(customers), now - _PAST)
        emissions = {step.emission_id for one in known.values() for step in one.policy.steps}
        backings = await sales_store.backings(connection, emissions)
        codes: dict[str, int] = {}
        cost: dict[str, int] = {}
        for (policy_id, _), one in (await policies.tallies(connection, known)).items():
            codes[policy_id] = codes.get(policy_id, 0) + one.codes
            cost[policy_id] = cost.get(policy_id, 0) + one.likely + one.given
        cap: Cap = await policies.cap(connection)
        shares = await _shares(connection, known, customers, now)
        situations = {
            policy_id: Situation(
                backings,
                {
                    asked: share
                    for (asked, currency), share in shares.items()
                    if currency == one.policy.currency
                },
                codes,
                cost,
                cap,
            )
            for policy_id, one in known.items()
        }
        return cls(customers, past, situations, codes, cost)

    def decide(
        self,
        kept: Kept,
        customer_id: str,
        now: datetime,
        *,
        after: Raise | None = None,
        but: str = _NOBODY,
    ) -> Plan | Skip:
        """What the policy has for a customer; ``but``: the offer that it is about."""
        customer = self.customers.get(customer_id)
        if customer is None:  # erased
            return Skip("not_in_segments")
        earlier = [one for one in self.earlier.get(customer_id, ()) if one.offer_id != but]
        situation = self.situations[kept.policy.policy_id]
        return decide(kept.policy, customer, earlier, situation, now, after=after)

    def note(self, record: Record) -> None:
        """An offer is planned."""
        self.earlier.setdefault(record.customer_id, []).append(
            Earlier(
                record.offer_id,
                record.policy_id,
                record.reason,
                record.emission_id,
                record.send_at,
                record.valid_until,
                record.open,
            )
        )

    def forget(self, record: Record) -> None:
        """An offer that was planned comes to nothing."""
        of_customer = self.earlier.get(record.customer_id, [])
        of_customer[:] = [one for one in of_customer if one.offer_id != record.offer_id]

    def spend(self, record: Record, kept: Kept) -> None:
        """A code is asked for: the budget of the next one is so much less."""
        if record.raised_from is None and held_back(
            record.policy_id, record.customer_id, kept.policy.control_share
        ):
            return
        self.codes[record.policy_id] = self.codes.get(record.policy_id, 0) + 1
        self.cost[record.policy_id] = self.cost.get(record.policy_id, 0) + record.cost


async def _shares(
    connection: Connection,
    known: Mapping[str, Kept],
    customers: Mapping[str, Customer],
    now: datetime,
) -> dict[tuple[sales.Asked, str], int | None]:
    """How the sales go that the policies' rules are about, for these customers."""
    questions = {
        (asked, str(kept.policy.currency))
        for kept in known.values()
        for customer in customers.values()
        for asked in asked_of(
            every_rule(kept.policy), customer, now, customer.zone or kept.policy.zone
        )
        if asked is not None
    }
    return await sales_store.shares(connection, questions)
