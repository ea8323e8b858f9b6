"""A process that decides recorded receipts for a backtest, beside the evaluator, with less priority."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Awaitable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import connection as pipes
from multiprocessing import parent_process
from typing import TypeVar
from zoneinfo import ZoneInfo

import asyncpg

from services.evaluator.backtest.caps import Entry, Key
from services.evaluator.backtest.draft import Plan
from services.evaluator.backtest.folding import Page
from services.evaluator.backtest.reading import Head, decided, head
from services.evaluator.backtest.reading import event as read_event
from services.evaluator.backtest.trial import Outcome, Recorded, Recording, Trial, rules_of, trial
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.purchases import Wanted
from services.evaluator.recording import decode_facts
from services.evaluator.store import backtest as backtest_store
from services.evaluator.store import recordings
from services.evaluator.store import reference as reference_store
from services.evaluator.store.backtest import Event, Listed
from shared.database import Connection

_NICE = 10
ALLOCATIONS_A_COLLECTION = 100_000
_MOST_RULESETS = 64
T = TypeVar("T")


@dataclass(slots=True)
class _Rules:
    """The rulesets of recordings, without and with the draft, by version."""

    plan: Plan
    own: Ruleset
    known: dict[int, tuple[Ruleset, Ruleset]] = field(default_factory=dict)

    async def at(self, connection: Connection, version: int) -> Ruleset:
        """The rules of a version, with the draft."""
        found = self.known.get(version)
        if found is None:
            before = max((v for v in self.known if v < version), default=-1)
            base, drafted = self.known.get(before, (Ruleset.empty(), None))
            changed = await recordings.campaigns_between(connection, before, version)
            if changed or drafted is None:
                base = base.with_campaigns(changed, version)
                drafted = base.with_campaigns([self.plan.campaign], version)
            if len(self.known) >= _MOST_RULESETS:
                del self.known[min(self.known)]
            found = self.known[version] = (base, drafted)
        return found[1]


@dataclass(slots=True)
class Worker:
    """Decides pages of receipts as one snapshot of the database has them."""

    plan: Plan
    connection: Connection
    rules: _Rules

    async def decide(self, listed: Sequence[Listed], full: AbstractSet[str]) -> Page:
        """What the draft would have done to these receipts while its caps are free.

        Limits that are likely to be ``full`` by then are decided without, too, as all is at hand.
        """
        page, zone = Page(), ZoneInfo(self.plan.campaign.time_zone)
        keys = [key for one in listed for key in one.event_keys]
        events = await backtest_store.events(self.connection, keys)
        chosen: list[tuple[Event, bool]] = []
        for one in listed:
            last = _last([events[key] for key in one.event_keys if key in events])
            if last is None or not self.plan.start <= last[1].occurred_at < self.plan.end:
                continue
            if last[0].facts is None or last[0].decision is None:
                page.without_facts += 1
                continue
            chosen.append((last[0], one.paid))
        found = await self._recordings([event for event, _ in chosen])
        trials = await self._trials(found)
        for (event, paid), recording, tried in zip(chosen, found, trials, strict=True):
            recorded = _recorded(event, recording, paid=paid)
            page.look_at(recorded, recording.event.currency, zone)
            if tried is None:
                page.not_considered += 1
            elif (missed := tried.missed()) is not None:
                page.miss(missed)
            else:
                entry = Entry(recorded, tried.decide(), tried.rivals())
                page.entries.append(entry)
                state = {t.limit_id: 0 for t in entry.first.taken if t.limit_id in full}
                if state and not entry.blocked(state):
                    left = tuple(sorted(state.items()))
                    page.variants[recorded.event_key, left] = tried.decide(left)
        return page

    async def again(self, keys: Sequence[Key]) -> dict[Key, Outcome]:
        """What receipts get when of some of the draft's limits no more than so much is left."""
        events = await backtest_store.events(self.connection, {key for key, _ in keys})
        found = await self._recordings(list(events.values()))
        trials = dict(zip(events, await self._trials(found), strict=True))
        outcomes = {}
        for key, state in keys:
            tried = trials[key]
            if tried is not None:
                outcomes[key, state] = tried.decide(state)
        return outcomes

    async def _recordings(self, events: Sequence[Event]) -> list[Recording]:
        """The events with their facts, and codes that were unknown then but are known now."""
        read = []
        unknown: set[bytes] = set()
        for event in events:
            facts = decode_facts(event.facts or b"")
            read.append((read_event(event.body), facts))
            unknown |= {code.digest for code in facts.codes if code.emission_id is None}
        known = {}
        if unknown and self.plan.campaign.emissions:
            codes = await reference_store.known_codes(self.connection, sorted(unknown))
            known = {
                digest: (code.emission_id, code.holder, code.valid_until)
                for digest, code in codes.items()
            }
        return [Recording(event, facts, known) for event, facts in read]

    async def _trials(self, found: Sequence[Recording]) -> list[Trial | None]:
        """Each with the rules of its time and the draft, and the purchases that the draft asks for."""
        trials = []
        for recording in found:
            ruleset = await self.rules.at(self.connection, recording.facts.ruleset_version)
            campaign, assume = self.plan.campaign, self.plan.assume_codes
            trials.append(trial(campaign, self.rules.own, recording, ruleset, assume_codes=assume))
        looking = [(one, needs) for one in trials if one and (needs := one.wanted)]
        wanted: dict[str, tuple[Wanted, datetime]] = {}
        for _, (customer, asked, at) in looking:
            before, until = wanted.get(customer, (asked, at))
            both = Wanted(min(before.since, asked.since), max(before.first, asked.first))
            wanted[customer] = both, max(until, at)
        if wanted:
            bought = await backtest_store.purchases(self.connection, wanted)
            for one, (customer, _, _) in looking:
                one.remember(bought[customer])
        return trials


def _last(events: Sequence[Event]) -> tuple[Event, Head] | None:
    """The event whose decision counts; None where there were only quotes."""
    heads = [(event, head(event.body)) for event in events]
    own = [(event, what) for event, what in heads if what.intent in ("checkout", "sale")]
    return max(own, key=lambda item: (*item[1].rank, item[0].event_key), default=None)


def _recorded(event: Event, recording: Recording, *, paid: bool) -> Recorded:
    gave, receipt = decided(event.decision or b""), recording.event
    return Recorded(
        event_key=event.event_key,
        receipt_id=receipt.receipt_id,
        occurred_at=receipt.occurred_at,
        store_id=receipt.store_id,
        region=recording.facts.counted_in,
        device=recording.facts.device,
        customer_id=receipt.customer_id,
        paid=paid,
        total=gave.total,
        live=gave.gave,
    )


_worker: Worker | None = None
_runner: asyncio.Runner | None = None


def start(database: str, snapshot: str, plan: Plan) -> None:
    """Prepare this process; it ends with the one that started it."""
    global _worker, _runner  # noqa: PLW0603 - what a pool's process has is its module's
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends it by way of its parent
    os.nice(_NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What is here now stays; pages of thousands of values make no cycles worth looking for.
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_A_COLLECTION)
    _runner = asyncio.Runner()
    _worker = _runner.run(_connect(database, snapshot, plan))


def decide(listed: Sequence[Listed], full: AbstractSet[str]) -> Page:
    """``Worker.decide`` of this process."""
    return _run(_ready().decide(listed, full))


def again(keys: Sequence[Key]) -> dict[Key, Outcome]:
    """``Worker.again`` of this process."""
    return _run(_ready().again(keys))


async def _connect(database: str, snapshot: str, plan: Plan) -> Worker:
    connection = await asyncpg.connect(database)
    await connection.transaction(isolation="repeatable_read", readonly=True).start()
    await backtest_store.use_snapshot(connection, snapshot)
    return Worker(plan, connection, _Rules(plan, rules_of(plan.campaign)))


def _ready() -> Worker:
    if _worker is None:
        message = "this process was not started as a worker"
        raise RuntimeError(message)
    return _worker


def _run(work: Awaitable[T]) -> T:
    if _runner is None:
        message = "this process was not started as a worker"
        raise RuntimeError(message)

    async def wait() -> T:
        return await work

    return _runner.run(wait())


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        pipes.wait([parent.sentinel])
        os._exit(1)
