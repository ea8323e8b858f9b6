"""One seed from its campaign to its checks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from deploy.demo import books
from deploy.local import stack as local
from deploy.local.stack import Stack
from deploy.log import Offsets
from deploy.verification import profiles
from shared import clock
from shared.topics import CARTS, DECISIONS, RECEIPTS, RETURNS, SALES
from tests.faults import checks, errands, leases, log, offers, schedule, sources
from tests.faults.answers import listening
from tests.faults.book import Book
from tests.faults.counter import opened
from tests.faults.evidence import Difference, Run
from tests.faults.injection import Injector
from tests.faults.leases import Leases
from tests.faults.network import Network, producer
from tests.faults.offers import Offers
from tests.faults.recovery import Probes, Recovery
from tests.faults.schedule import Schedule
from tests.faults.tills import TILLS, Gate, Till
from tests.faults.ways import OverHttp, OverKafka, Way
from tests.waiting import until

_SERVICES = ("emission", "evaluator", "evaluator2=services.evaluator", "analytics", "customers")
_HOLD_SECONDS = 6
_LOAD_WITHIN_S = 900
_SETTLED_WITHIN_S = 300
_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


@dataclass
class Outcome:
    """What became of a seed. ``events`` were sent by tills, ``redemptions`` are the ledger's."""

    schedule: Schedule
    recoveries: list[Recovery] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    events: int = 0
    messages: int = 0
    redemptions: int = 0
    dead_letters: int = 0
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def start(state: Path) -> Stack:
    """A stack with two evaluators on one ledger, whose holds are short."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TILLSTREAM_HOLD_SECONDS", str(_HOLD_SECONDS))
        return local.up(state, services=_SERVICES)


async def run(stack: Stack, seed: int, receipts: int = errands.RECEIPTS) -> Outcome:
    """Run a seed on a stack that ``start`` has started."""
    began = clock.monotonic()
    outcome = Outcome(schedule.plan(seed, receipts))
    name = f"f{seed}-{int(clock.now().timestamp()):x}"
    promised = await offers.author(stack, name)
    leased = await leases.grant(stack, promised)
    since, first = await log.ends(stack.kafka), await sources.last_number(stack)
    try:
        async with asyncio.timeout(_LOAD_WITHIN_S):
            await _load(stack, promised, leased, outcome, since, receipts)
        await _settle(stack, promised, leased, outcome.book, since)
    except (AssertionError, TimeoutError, ExceptionGroup) as error:
        outcome.differences.append(Difference("the run", "came to its end", "yes", _told(error)))
    found = await sources.read(stack, promised, since, first)
    outcome.differences += checks.differences(Run(promised, outcome.book, found))
    outcome.differences += await _profiles(stack)
    outcome.events = sum(e.topic in log.OF_TILLS for e in found.entries)
    outcome.messages = len(found.entries)
    outcome.redemptions = len(found.redemptions)
    outcome.dead_letters = sum(e.topic in log.DEAD for e in found.entries)
    outcome.seconds = clock.monotonic() - began
    return outcome


async def _profiles(stack: Stack) -> list[Difference]:
    """The customers' profiles that are not what the log says."""
    key = bytes.fromhex(stack.secrets.customers_key)
    found = await profiles.verify(stack.database("customers"), stack.kafka, key, lambda *_: None)
    return [
        Difference("profiles", customer_id, "as the log says", ", ".join(fields))
        for customer_id, fields in found.differences.items()
    ]


def _told(error: Exception) -> str:
    """An error and those that it groups, in one line."""
    if isinstance(error, ExceptionGroup):
        return "; ".join(map(_told, error.exceptions))
    return repr(error)


async def _load(
    stack: Stack,
    promised: Offers,
    leased: Leases,
    outcome: Outcome,
    since: Offsets,
    receipts: int,
) -> None:
    """All tills at work while the schedule is carried out."""
    seed, book, gate = outcome.schedule.seed, outcome.book, Gate()
    sender = producer(stack.kafka)
    async with (
        sender,
        listening(stack.kafka, since) as answers,
        opened(stack, book, seed) as counter,
    ):
        network = Network(sender, book, seed)
        plans = [errands.errand(seed, number, receipts) for number in range(receipts)]
        ways: tuple[Way, Way] = (OverKafka(network, answers), OverHttp(counter))
        tills = [
            Till(n, promised, ways[n % 2], ways[1 - n % 2], answers, book, leased)
            for n in range(TILLS)
        ]
        probes = Probes(stack, promised, network, counter, book)
        async with asyncio.TaskGroup() as group:
            for till in tills:
                group.create_task(till.work(plans[till.number :: TILLS], gate))
            group.create_task(_break(Injector(stack), probes, gate, outcome, receipts))
        await network.quiet()


async def _break(
    injector: Injector, probes: Probes, gate: Gate, outcome: Outcome, receipts: int
) -> None:
    """Carry the schedule out, one moment after another, and note how long recovery takes."""
    moments = outcome.schedule.moments
    following = [moment[0].at for moment in moments[1:]] + [receipts]
    for together, limit in zip(moments, following, strict=True):
        await gate.open(max(limit, together[0].at))
        await gate.reached(together[0].at)
        struck = clock.monotonic()
        await injector.strike(together)
        away = clock.monotonic() - struck
        outcome.recoveries.append(await probes.recovery(together, away))


async def _settle(
    stack: Stack, promised: Offers, leased: Leases, book: Book, since: Offsets
) -> None:
    """Wait until all that was sent is applied and passed on, and all holds are over.

    A return that overtook its sale is sent again, as an operator does with such dead letters.
    """
    await _quiet(stack, promised)
    await leases.give_back(stack, leased)
    await _send_again(stack, book, since)
    await _quiet(stack, promised)


async def _quiet(stack: Stack, promised: Offers) -> None:
    async def quiet() -> bool:
        try:
            return await _is_quiet(stack, promised)
        except _AWAY:
            return False

    await until(quiet, within_s=_SETTLED_WITHIN_S, what="all is applied, passed on and counted")


async def _is_quiet(stack: Stack, promised: Offers) -> bool:
    evaluator, analytics = stack.database("evaluator"), stack.database("analytics")
    customers = stack.database("customers")
    return (
        await books.has_read_all(evaluator, stack.kafka, [CARTS.name, SALES.name])
        and await books.has_sent_all(evaluator)
        and not await _held(evaluator, promised.campaign_id)
        and await books.has_sent_all(evaluator)
        and await books.has_read_all(
            analytics, stack.kafka, [DECISIONS.name, RECEIPTS.name, RETURNS.name]
        )
        and await books.has_read_all(customers, stack.kafka, list(profiles.FACTS))
    )


async def _held(database: str, campaign_id: str) -> int:
    connection = await asyncpg.connect(database)
    try:
        query = "select count(*) from redemptions where campaign_id = $1 and status = 'held'"
        return int(await connection.fetchval(query, campaign_id))
    finally:
        await connection.close()


async def _send_again(stack: Stack, book: Book, since: Offsets) -> None:
    """Send the returns again that came before their sale."""
    letters = {
        entry.event_id
        for entry in await log.entries(stack.kafka, since)
        if entry.topic == SALES.dead_letter_name and entry.reason == "unknown_receipt"
    }
    early = [book.events[event_id] for event_id in letters if event_id in book.events]
    sender = producer(stack.kafka)
    async with sender:
        network = Network(sender, book, 0)
        for sent in early:
            await network.deliver(sent)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * int(percent) // 100) - 1)]
