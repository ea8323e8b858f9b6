"""The real counter beside its model: any commands, over Kafka and HTTP, in batches of any size, get the same answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

import asyncpg
import pytest
from starlette.datastructures import Headers

from services.evaluator import reference
from services.evaluator.checkout import Checkout
from services.evaluator.checkout_http import Checkouts
from services.evaluator.desk import Brought, Desk
from services.evaluator.expiry import Expiry
from services.evaluator.facts import Gatherer
from services.evaluator.regions import Regions
from services.evaluator.requests import Reply, Request, Requests
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import reference as reference_store
from shared import outbox
from shared.codec import encode
from shared.database import Connection
from shared.events.checkout import Confirmation
from shared.topics import CAMPAIGNS, DECISIONS, RECEIPTS, RETURNS
from shared.web.auth import SCOPES, Principal
from shared.web.plain import Answered, Asked
from tests import counter_commands as commands
from tests import counter_tills as tills
from tests.builders import CODE_KEY, chunk
from tests.counter_commands import Ask, Plan, Refused
from tests.counter_model import OPENING, CounterModel
from tests.counter_receipt import figures
from tests.integration.evaluator import NOW, TOPICS, evaluator, record

CUSTOMERS = ("C1", "C2")
TILL = Principal("till", frozenset(SCOPES))


@pytest.fixture
async def ledger(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store and the code; all sales have been read."""
    async with evaluator(dsn) as pool, pool.acquire() as connection:
        await reference_store.save_codes(connection, [chunk("WELCOME", "WELCOME")])
        for customer, points in OPENING.items():
            await opened(connection, customer, points)
        await connection.execute(
            "insert into offsets (consumer, topic, partition, next, cluster_id, read_until)"
            " select 'evaluator.checkout', 'checkout.sales.v1', n, 0, 'c', 'infinity'"
            " from generate_series(0, 3) as n"
        )
        yield pool


async def opened(connection: Connection, customer: str, points: int) -> None:
    """A customer has points from before."""
    await connection.execute("insert into bonus_accounts (customer_id) values ($1)", customer)
    await connection.execute(
        "insert into bonus_lots (lot_id, customer_id, campaign_id, points, returnable, active_at)"
        " values ('b-' || $1, $1, 'campaign-1', $2, 0, $3)",
        customer,
        points,
        NOW,
    )
    sides = (f"customer/{customer}", points), ("campaign/campaign-1", -points)
    await connection.executemany(
        "insert into bonus_entries (entry_id, account, points, recorded_at) values ('b', $1, $2, $3)",
        [(*side, NOW) for side in sides],
    )


@dataclass(frozen=True)
class Sent:
    """A command on its way: by what name, with what key, and what the model says to it."""

    command: commands.Command
    name: str
    key: str | None
    expected: commands.Answer
    again: bool


@dataclass
class Shop:
    """Tills of a store, the model and the real counter; all that happens follows from the seed."""

    pool: asyncpg.Pool
    random: Random
    prefix: str = "r"
    desk: Desk = field(
        default_factory=lambda: Desk(Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15)))
    )
    sent: list[Sent] = field(default_factory=list)
    versions: int = 0
    offset: int = 0

    def __post_init__(self) -> None:
        self.model = CounterModel(self.plan())

    def plan(self) -> Plan:
        pick = self.random.choice
        return Plan(
            code=pick([1, 2, 3, 3]),
            in_all=pick([1, 2, 3, 3]),
            each=pick([None, None, 1, 2]),
            budget=pick([300, 1_500, 4_000, 9_000]),
            altogether=pick([2, 4, 6]),
            rewards=pick([1, 2, 3]),
            keeps=pick([True, False]),
        )

    async def publish(self) -> None:
        """The campaign as it is now."""
        self.versions += 1
        running = tills.campaign_of(self.model.plan, self.versions, NOW, running=self.model.running)
        async with self.pool.acquire() as connection, connection.transaction():
            message = record(CAMPAIGNS.name, running, self.versions)
            assert await reference.apply(connection, [message]) == []

    def ask(self) -> Ask:
        pick = self.random.choice
        lines = tuple(pick([1_000, 3_000, 12_340]) for _ in range(pick([1, 2])))
        customer = pick([*CUSTOMERS, "C1", None])
        return Ask(customer, pick([True, True, True, False]), lines, pick([0, 0, 30, 90, 9_999]))

    def draw(self) -> commands.Command:
        """What a till does next."""
        pick, counter = self.random.choice, self.model
        receipt, ask = f"{self.prefix}-{pick(range(3))}", self.ask()
        match pick(["cart", "cart", "cart", "quote", "cancel", "sale", "sale", "order", "return"]):
            case "cart":
                return tills.checkout_of(counter, receipt, ask, pick([1, 1, 1, 2, 0, -1]))
            case "quote":
                return tills.checkout_of(counter, receipt, ask, 1, "quote")
            case "cancel":
                return tills.checkout_of(counter, receipt, ask, pick([1, 1, 0]), "cancel")
            case "sale":
                gave: tills.Gave = pick(
                    ["decided", "decided", "less", "more", "nothing", "zero", "something"]
                )
                same_card = pick([True, True, False])
                return tills.sale_of(counter, receipt, ask, gave, same_card=same_card)
            case "order":
                cancel = pick([True, False, False])
                return commands.Order(receipt, cancel, 0 if cancel else pick([0, 30, 9_999]))
            case _:
                return tills.return_of(counter, receipt, pick([1, 2]), pick([0, 0, 333, 1_000]))

    def send(self, *, http: bool) -> Sent | None:
        """Tell the model what a till sends this way: something new, or what it sent before, changed or not."""
        command, key, name = self.draw(), None, f"{self.prefix}-e-{len(self.sent)}"
        if http:
            key = self.random.choice([None, f"{self.prefix}-k-{len(self.sent)}"])
        before = [one for one in self.sent if ((one.key or "body") in one.name) == http]
        if before and self.random.random() < 0.25:
            old = self.random.choice(before)
            command, key, name = old.command, old.key, old.name
            if self.random.random() < 0.3 and isinstance(
                command, commands.Checkout | commands.Sale
            ):
                ask = replace(command.ask, lines=(*command.ask.lines, 2_000))
                command = replace(command, ask=ask)
        if http:
            if isinstance(command, commands.Checkout) and command.intent != "checkout":
                return None
            name = f"key/{key}" if key else f"body/{command}"
        elif isinstance(command, commands.Order):
            return None
        event = f"{type(command).__name__}/{name}"
        again = event in self.model.events
        expected = self.model.apply(event, command, key)
        self.sent.append(Sent(command, name, key, expected, again))
        return self.sent[-1]

    async def serve(self, size: int) -> None:
        """A batch: by one face, in one transaction."""
        http = self.random.random() < 0.5
        batch = [one for _ in range(size) if (one := self.send(http=http))]
        if not batch:
            return
        found = await (self.over_http(batch) if http else self.over_kafka(batch))
        for one, answer in zip(batch, found, strict=True):
            story = [each for each in self.sent if each.command.receipt == one.command.receipt]
            assert answer is None or tills.agree(one.expected, answer), f"{story}: not {answer}"

    async def over_kafka(self, batch: Sequence[Sent]) -> list[commands.Answer | None]:
        """What came of a batch: a dead letter, or a message; of a sale or return that comes again, nothing."""
        records = []
        for one in batch:
            assert not isinstance(one.command, commands.Order)
            event = tills.event_of(one.command, NOW)
            self.offset += 1
            records.append(record(TOPICS[type(event)].name, event, self.offset, one.name))
        async with self.pool.acquire() as connection, connection.transaction():
            dead = await Checkout(self.desk.gatherer).apply(connection, records)
            told = await taken_out(connection)
        refused = {letter.record.offset: letter.reason for letter in dead}
        answers: list[commands.Answer | None] = []
        for one, came in zip(batch, records, strict=True):
            if came.offset in refused:
                answers.append(Refused(refused[came.offset]))
            elif one.again and not isinstance(one.command, commands.Checkout):
                answers.append(None)
            else:
                topic = {
                    commands.Checkout: DECISIONS,
                    commands.Sale: RECEIPTS,
                    commands.Return: RETURNS,
                }
                answers.append(tills.answer_of(told[topic[type(one.command)].name].pop(0)))
        assert not any(told[topic.name] for topic in (DECISIONS, RECEIPTS, RETURNS))
        return answers

    async def over_http(self, batch: Sequence[Sent]) -> list[commands.Answer | None]:
        """What a group of requests is answered."""
        group = Group()
        routes = Checkouts(group, Regions(CODE_KEY))  # type: ignore[arg-type]  # it groups as the test says
        asking = [asyncio.ensure_future(_ask(routes, one)) for one in batch]
        while len(group.waiting) < len(batch):
            await asyncio.sleep(0)
            assert not any(one.done() for one in asking)
        async with self.pool.acquire() as connection, connection.transaction():
            requests = [request for request, _ in group.waiting]
            replies = await Requests(self.desk).apply(connection, requests)
            await taken_out(connection)
        for (_, waiting), reply in zip(group.waiting, replies, strict=True):
            waiting.set_result(reply)
        return [_told(answered) for answered in await asyncio.gather(*asking)]

    async def rush(self, batches: int) -> None:
        """Batches as they come; nobody knows what the other shop does, nor what is answered."""
        for _ in range(batches):
            one = self.send(http=False)
            if one is None or isinstance(one.command, commands.Order):
                continue
            event = tills.event_of(one.command, NOW)
            self.offset += 1
            came = record(TOPICS[type(event)].name, event, self.offset, one.name)
            async with self.pool.acquire() as connection, connection.transaction():
                await Checkout(self.desk.gatherer).apply(connection, [came])

    async def time_passes(self, receipt: str) -> None:
        """The receipt's hold is over."""
        self.model.expire(receipt)
        for table in ("redemptions", "bonus_payments"):
            await self.pool.execute(
                f"update {table} set expires_at = clock_timestamp() - interval '1 minute'"  # noqa: S608
                " where status = 'held' and receipt_id = $1",
                receipt,
            )
        await Expiry(self.pool).free_some()
        await Expiry(self.pool).free_points()

    async def marketers_edit(self) -> None:
        """Caps change, or the campaign pauses or goes on."""
        before, plan = self.model.plan, self.plan()
        if not self.model.running or self.random.random() < 0.3:
            self.model.running = not self.model.running
        else:
            each = plan.each or 1 if before.each else None
            self.model.plan = replace(plan, each=each, keeps=before.keeps)
        await self.publish()

    async def live(self, batches: int) -> None:
        """A part of a day."""
        for _ in range(batches):
            chance = self.random.random()
            if chance < 0.15:
                await self.time_passes(f"{self.prefix}-{self.random.randrange(3)}")
            elif chance < 0.22:
                await self.marketers_edit()
            await self.serve(self.random.choice([1, 2, 3, 6]))


@dataclass
class Group:
    """Requests that wait for one transaction."""

    waiting: list[tuple[Request[Brought], "asyncio.Future[Reply]"]] = field(default_factory=list)

    async def submit(self, request: Request[Brought], _within_s: float) -> Reply:
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.waiting.append((request, waiting))
        return await waiting


async def _ask(routes: Checkouts, one: Sent) -> Answered:
    headers = Headers({"Idempotency-Key": one.key} if one.key else {})
    body, route = b"", routes.cancel
    match one.command:
        case commands.Order(cancel=True):
            pass
        case commands.Order():
            points, route = tills.payments(one.command.pay), routes.confirm
            body = encode(Confirmation(payments=points)) if points else b""
        case command:
            body = encode(tills.event_of(command, NOW))
            route = {
                commands.Checkout: routes.check_out,
                commands.Sale: routes.sell,
                commands.Return: routes.take_back,
            }[type(command)]
    parameters = {"receipt_id": one.command.receipt}
    return await route(Asked(body, TILL, headers, parameters, None))


def _told(answered: Answered) -> commands.Answer:
    if answered.status == 200:
        return tills.answer_of(answered.body)
    title: str = tills.read(answered.body)["title"]
    reason = title.lower().replace(" ", "_")
    return Refused("key_used" if reason == "the_key_was_used_before" else reason)


async def taken_out(connection: Connection) -> dict[str, list[bytes]]:
    """What waited in the outbox, by topic; it is gone then."""
    told: dict[str, list[bytes]] = {t.name: [] for t in (DECISIONS, RECEIPTS, RETURNS)}
    rows = await connection.fetch("delete from outbox returning id, packed")
    for row in sorted(rows, key=lambda row: row["id"]):
        for name, _, value, _ in outbox.unpack(row["packed"]):
            told.setdefault(name, []).append(value or b"")
    return told


async def agree(pool: asyncpg.Pool, counter: CounterModel) -> None:
    """The tables are what the model says."""
    limits = await pool.fetch("select limit_id, held, used from limits where held + used > 0")
    entries = await pool.fetch("select account, sum(points)::int from bonus_entries group by 1")
    taken = {i: (counter.held(i), counter.used(i)) for i in counter.caps(CUSTOMERS)}
    found = {row["limit_id"]: (row["held"], row["used"]) for row in limits}
    assert found == {i: both for i, both in taken.items() if any(both)}
    paid = sum(r.points_paid - r.points_refunded for r in counter.receipts.values())
    balances = {f"customer/{c}": n for c, n in counter.balance.items() if n}
    total = sum(counter.balance.values()) + paid
    stated = balances | {"store/store-1": paid} | {"campaign/campaign-1": -total}
    assert {account: n for account, n in entries if n} == {
        account: n for account, n in stated.items() if n
    }
    lots = await pool.fetch(
        "select customer_id, coalesce(sum(points), 0)::bigint - max(debt) as balance,"
        " coalesce(sum(held), 0)::bigint as held"
        " from bonus_accounts left join bonus_lots using (customer_id) group by 1"
    )
    holds = [r.hold for r in counter.receipts.values() if r.hold]
    for row in lots:
        customer = row["customer_id"]
        assert row["balance"] == counter.balance.get(customer, 0)
        assert row["held"] == sum(n for who, n in holds if who == customer)
    rows = await pool.fetch(
        "select receipt_id, instrument_id, status, discount, bonuses, mismatch, returned,"
        " bonuses_returned from redemptions"
    )
    uses = {(row[0], row[1]): figures(*list(row)[2:]) for row in rows}
    assert uses == {
        (receipt, name): use.figures
        for receipt, known in counter.receipts.items()
        for name, use in known.uses.items()
    }


@pytest.mark.parametrize("seed", range(12))
async def test_the_counter_answers_what_the_model_does(ledger: asyncpg.Pool, seed: int) -> None:
    shop = Shop(ledger, Random(seed))  # noqa: S311 - no secret: what happens follows from it
    await shop.publish()
    await shop.live(16)
    await agree(ledger, shop.model)


_TAKEN = """
select limit_id, cap, held, used, coalesce(sum(amount) filter (where status = 'held'), 0)::bigint as holding,
    coalesce(sum(amount) filter (where status = 'committed' or status = 'returned' and keeps_slot), 0)::bigint
    as using
from limits left join (
    select status, keeps_slot, unnest(limit_ids) as id, unnest(limit_amounts) as amount from redemptions
) as taken on id = limit_id
group by 1
"""


@pytest.mark.parametrize("seed", range(3))
async def test_two_evaluators_at_one_limit_keep_its_sums(ledger: asyncpg.Pool, seed: int) -> None:
    """Receipts of their own, one campaign: whichever is first, no cap is passed and every sum agrees."""
    random = Random(seed)  # noqa: S311 - as above
    shops = [Shop(ledger, Random(random.random()), prefix) for prefix in ("a", "b")]  # noqa: S311
    await shops[0].publish()
    await asyncio.gather(*(shop.rush(20) for shop in shops))
    for row in await ledger.fetch(_TAKEN):
        assert (row["held"], row["used"]) == (row["holding"], row["using"])
        assert row["held"] + row["used"] <= row["cap"]
    [lots] = await ledger.fetch(
        "select (select coalesce(sum(points), 0) from bonus_entries) as all,"
        " (select coalesce(sum(points), 0) from bonus_entries where account like 'customer/%') as entered,"
        " (select coalesce(sum(points), 0) from bonus_lots) as left,"
        " (select coalesce(sum(debt), 0) from bonus_accounts) as owed"
    )
    assert (lots["all"], lots["entered"]) == (0, lots["left"] - lots["owed"])
