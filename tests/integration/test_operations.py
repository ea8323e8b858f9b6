"""What an operator does: dead letters sent again once their cause is mended."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord

from deploy import cli, dead_letters, operations
from deploy.local import stack as local
from deploy.local.errors import StackError
from deploy.local.stack import Stack
from shared.cluster import partitions_of
from shared.codec import encode
from shared.consumer import TransactionalConsumer
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.outbox import Relay
from shared.topics import BONUSES, BY_NAME, CARTS
from shared.web.auth import Verifier
from tests.integration import emission, shop
from tests.integration.conftest import NewTopicName
from tests.integration.shop import a_cart, open_tills
from tests.integration.test_consumer import running
from tests.waiting import until


async def test_a_dead_letter_sent_again_after_its_cause_is_mended_is_answered(
    stack: Stack,
) -> None:
    store = emission.a_store(currency=shop.CURRENCY)
    asked = a_cart(store["store_id"], 1_000)
    async with open_tills(stack) as tills:
        event_id = await tills.send(asked)

        async def is_dead() -> bool:
            found = await dead_letters.letters(stack.kafka, CARTS.name)
            return any(x.event_id == event_id and not x.retried for x in found)

        await until(is_dead, what="the cart of an unknown store is a dead letter")
        async with shop.client(stack, "emission") as author:
            emission.ok(await author.put("/v1/stores", json={"stores": [store]}))
        await until(lambda: _quoted(stack, store["store_id"]), what="the store is known")
        # Only this one: other tests have dead carts, too.
        assert await dead_letters.retry(stack.kafka, CARTS.name, event_id=event_id) == 1
        decision = await tills.decision(asked.receipt_id)
    assert (decision.outcome, decision.total) == ("decided", 1_000)
    [letter] = [
        x for x in await dead_letters.letters(stack.kafka, CARTS.name) if x.event_id == event_id
    ]
    assert letter.reason == "unknown_store"
    assert letter.origin.startswith(f"{CARTS.name}/")


async def _quoted(stack: Stack, store_id: str) -> bool:
    async with shop.client(stack, "evaluator") as till:
        answer = await till.post("/v1/quotes", content=encode(a_cart(store_id, 1_000)))
    return answer.status_code == 200


@dataclass
class Mendable:
    """Applies nothing until it is mended."""

    mended: bool = False

    async def apply(
        self, connection: Connection, records: Sequence[ConsumerRecord]
    ) -> Sequence[DeadLetter]:
        if not self.mended:
            return [DeadLetter(record, "broken", "value: is not understood") for record in records]
        await connection.executemany(
            "insert into effects values ($1)", [(record.value.decode(),) for record in records]
        )
        return []


@pytest.fixture
async def internal(new_topic: NewTopicName, monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic between services, which has no event ids to go by."""
    name = await new_topic(3)
    monkeypatch.setitem(BY_NAME, name, replace(BONUSES, name=name))
    return name


async def test_a_letter_of_an_internal_topic_sent_again_twice_is_applied_once(
    stack: Stack, pool: asyncpg.Pool, dsn: str, producer: AIOKafkaProducer, internal: str
) -> None:
    """As after a crash between sending it and remembering that."""
    consumes = Mendable()
    reading = TransactionalConsumer("test", [internal], stack.kafka, pool, consumes.apply)
    async with running(reading), running(Relay(stack.kafka, dsn)):
        for body in (b"one", b"two"):
            await producer.send_and_wait(internal, body, key=body)

        async def are_dead() -> bool:
            return len(await dead_letters.letters(stack.kafka, internal)) == 2

        await until(are_dead, what="two dead letters")
        consumes.mended = True
        assert await dead_letters.retry(stack.kafka, internal) == 2
        assert all(letter.retried for letter in await dead_letters.letters(stack.kafka, internal))
        assert await dead_letters.retry(stack.kafka, internal) == 0
        await _forget(stack, internal)
        assert await dead_letters.retry(stack.kafka, internal) == 2
        for partition in range(3):
            await producer.send_and_wait(internal, b"end", partition=partition)
        await until(lambda: _count_is(pool, 5), what="the ends")
    rows = await pool.fetch("select body from effects order by body")
    assert [row["body"] for row in rows] == ["end", "end", "end", "one", "two"]


async def test_letters_of_an_internal_topic_are_sent_again_in_their_order_only(
    stack: Stack, internal: str
) -> None:
    """Their numbers must rise, so one can't be chosen."""
    for choice in ({"reason": "broken"}, {"event_id": "4711"}):
        with pytest.raises(StackError, match=r"give --topic checkout\.carts\.v1"):
            await dead_letters.retry(stack.kafka, internal, **choice)


def test_without_kafka_the_command_says_so(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In one line."""
    away = replace(stack, kafka="127.0.0.1:9")
    monkeypatch.setattr(local, "load", lambda _: away)
    for arguments in (["dead-letters", "list"], ["dead-letters", "retry"]):
        monkeypatch.setattr(sys, "argv", ["tillstream", *arguments])
        with pytest.raises(SystemExit, match="1"):
            cli.main()
        shown = capfd.readouterr()
        assert "Kafka at 127.0.0.1:9 does not answer" in shown.err
        assert len(shown.err.splitlines()) == 1


async def _forget(stack: Stack, topic: str) -> None:
    """Have none of the topic's letters counted as sent again."""
    async with AIOKafkaConsumer(
        bootstrap_servers=stack.kafka, group_id=dead_letters._RETRIED, enable_auto_commit=False
    ) as group:
        partitions = await partitions_of(stack.kafka, [BY_NAME[topic].dead_letter_name])
        group.assign(partitions)
        await group.commit(dict.fromkeys(partitions, 0))


async def _count_is(pool: asyncpg.Pool, count: int) -> bool:
    return bool(await pool.fetchval("select count(*) = $1 from effects", count))


def test_a_shell_gets_a_token_for_daily_work_and_the_way_into_the_console(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.env(stack.state)
    lines = capsys.readouterr().out.splitlines()
    variables = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    verifier = Verifier(stack.secrets.verify_key)
    assert variables["CONSOLE"] == stack.url("emission")
    assert variables["CONSOLE_PASSWORD"] == stack.secrets.admin_password
    works = verifier.verify(variables["TOKEN"]).scopes
    assert works == {
        "campaigns:read",
        "campaigns:write",
        "checkouts:write",
        "customers:read",
        "customers:write",
        "ledger:read",
        "quotes:write",
        "statistics:read",
    }
