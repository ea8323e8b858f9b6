"""Code guessing on the real PostgreSQL: who is locked out, what is told of it, what it does not do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.evaluator import lookup, vigilance
from services.evaluator.answer import Decision, encode
from services.evaluator.group_commit import GroupCommit
from services.evaluator.guessing import POLICY
from services.evaluator.known import Known
from services.evaluator.quoting import Quotes
from services.evaluator.recording import decode_facts
from services.evaluator.replay import replay
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import reference as reference_store
from services.evaluator.vigilance import Vigilance
from shared.codec import decode
from shared.events import outcome
from shared.events.checkout import Cart
from shared.topics import ATTEMPTS, DECISIONS
from tests.builders import CODE_KEY, cart, chunk, code, emission, instrument, line
from tests.integration.evaluator import NOW, Stream, evaluator, run
from tests.integration.outgoing import waiting

MOST = POLICY["terminal"].failures
SINGLE = emission("SINGLE", kind="personal", single_use=True, posted_codes=2)
PAST = emission("PAST", valid_until=NOW - timedelta(days=1))


async def issue(
    pool: asyncpg.Pool, emission_id: str, *words: str, holder: str | None = None
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        holders = (holder,) * len(words) if holder else ()
        await reference_store.save_codes(connection, [chunk(emission_id, *words, holders=holders)])


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, PostgreSQL is not away."""
    monkeypatch.setattr(lookup, "ANSWERS_WITHIN_S", 30.0)


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """10% off with GOOD or, once each, ONE or TWO; OLD is over, THEIRS is C2's."""
    async with evaluator(dsn) as opened:
        await issue(opened, "WELCOME", "GOOD")
        await issue(opened, "SINGLE", "ONE", "TWO")
        await issue(opened, "PAST", "OLD")
        await issue(opened, "THEIRS", "THEIRS", holder="C2")
        asked = [code("WELCOME"), code("SINGLE"), code("PAST"), code("THEIRS", own=True)]
        await run(
            opened,
            [instrument(f"i-{n}", [one]) for n, one in enumerate(asked)],
            emissions=(SINGLE, PAST),
        )
        yield opened


def asks(receipt: str, *presented: str, **values: Any) -> Cart:
    defaults = {"receipt_id": receipt, "occurred_at": NOW, "codes": presented}
    return cart([line()], **{**defaults, **values})


def guesses(count: int = MOST, **values: Any) -> list[Cart]:
    """As many carts, each with a wrong code of its own."""
    return [asks(f"guess-{n}", f"WRONG{n}", **values) for n in range(count)]


async def decisions(pool: asyncpg.Pool) -> dict[str, outcome.Decision]:
    """The last decision on each receipt."""
    found = [decode(outcome.Decision, body or b"") for body in await waiting(pool, DECISIONS)]
    return {decision.receipt_id: decision for decision in found}


async def attempts(pool: asyncpg.Pool) -> list[outcome.CodeAttempt]:
    return [decode(outcome.CodeAttempt, body or b"") for body in await waiting(pool, ATTEMPTS)]


def unused(decision: outcome.Decision | Decision) -> list[str]:
    return [one.reason for one in decision.unused_codes]


async def later(pool: asyncpg.Pool, minutes: int) -> None:
    """So much time passes for what is held against anybody."""
    await pool.execute(
        "update guesses set locked_until = locked_until - $1::interval, since = since - $1::interval,"
        " forgotten_from = forgotten_from - $1::interval",
        timedelta(minutes=minutes),
    )


@pytest.mark.parametrize("size", [1, MOST + 3])
async def test_a_guesser_at_a_till_is_locked_out_with_the_next_cart(
    pool: asyncpg.Pool, size: int
) -> None:
    """However the stream is cut; the till next to it sells on."""
    carts = [
        *guesses(),
        asks("mine", "GOOD"),
        asks("next", "GOOD", terminal_id="till-2"),
        asks("none"),
    ]
    assert await Stream(*carts).into(pool, size) == []
    found = await decisions(pool)
    assert unused(found[f"guess-{MOST - 1}"]) == ["unknown_code"]
    assert (found["mine"].discount, unused(found["mine"])) == (0, ["locked_out"])
    assert found["mine"].unknown_codes == ()
    assert (found["next"].discount, found["next"].unused_codes) == (100, ())
    [attempt] = await attempts(pool)
    assert (attempt.who, attempt.subject) == ("terminal", "store-1:till-1")
    assert (attempt.receipt_id, attempt.codes) == ("mine", 1)
    assert attempt.locked_until > NOW


async def test_after_the_lock_out_codes_work_again(pool: asyncpg.Pool) -> None:
    await Stream(*guesses()).into(pool)
    await later(pool, 11)
    await Stream(asks("mine", "GOOD")).into(pool)
    assert (await decisions(pool))["mine"].discount == 100


async def test_a_good_code_of_a_locked_out_caller_is_not_consumed(pool: asyncpg.Pool) -> None:
    await Stream(*guesses(), asks("mine", "ONE")).into(pool)
    await Stream(asks("theirs", "ONE", terminal_id="till-2")).into(pool)
    found = await decisions(pool)
    assert (found["mine"].discount, found["theirs"].discount) == (0, 100)


async def test_a_cart_that_is_sent_again_with_every_item_counts_once(pool: asyncpg.Pool) -> None:
    again = [asks("mine", "TYPO", revision=n) for n in range(2 * MOST)]
    await Stream(*again).into(pool, 7)
    await Stream(asks("good", "GOOD")).into(pool)
    assert (await decisions(pool))["good"].discount == 100
    assert await pool.fetchval("select length(failed) from guesses where who = 'terminal'") == 8


async def test_half_a_town_may_come_with_a_word_that_is_over(pool: asyncpg.Pool) -> None:
    carts = [asks(f"r-{n}", "OLD", "GOOD", customer_id=f"K{n}") for n in range(3 * MOST)]
    await Stream(*carts).into(pool, 20)
    assert {d.discount for d in (await decisions(pool)).values()} == {100}


async def test_a_decision_without_the_codes_can_be_made_again(pool: asyncpg.Pool) -> None:
    await Stream(*guesses(), asks("mine", "GOOD")).into(pool)
    async with pool.acquire() as connection:
        start, end = NOW - timedelta(days=1), NOW + timedelta(days=1)
        found = [one async for one in replay(connection, start, end)]
    assert found == [None] * (MOST + 1)
    kept = await pool.fetch("select facts from checkout_events where facts is not null")
    assert sum(decode_facts(row["facts"]).locked_out for row in kept) == 1


@asynccontextmanager
async def listening(dsn: str, statements: list[str]) -> AsyncIterator[asyncpg.Pool]:
    """A pool that notes every statement."""

    async def listen(connection: Any) -> None:
        connection.add_query_logger(lambda record: statements.append(record.query))

    async with asyncpg.create_pool(dsn, min_size=1, max_size=4, init=listen) as opened:
        yield opened


async def test_carts_without_codes_cost_nothing_and_good_ones_a_look(
    dsn: str, pool: asyncpg.Pool
) -> None:
    statements: list[str] = []
    async with listening(dsn, statements) as heard:
        await Stream(asks("none")).into(heard)
        assert not [one for one in statements if "guesses" in one]
        await Stream(asks("good", "GOOD")).into(heard)
        assert len([one for one in statements if "guesses" in one]) == 1
    assert len(await decisions(pool)) == 2


@asynccontextmanager
async def quoting(pool: asyncpg.Pool) -> AsyncIterator[Quotes]:
    """Quotes of a process that was just started."""
    known = Known(pool, Rulesets())
    await known.refresh()
    group = GroupCommit(pool, vigilance.save)
    running = asyncio.create_task(group.run())
    try:
        yield Quotes(known, Vigilance(known.tallies, group), CODE_KEY, timedelta(minutes=15))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_till_that_guesses_by_quotes_is_locked_out_at_the_desk_too(
    pool: asyncpg.Pool,
) -> None:
    async with quoting(pool) as quotes:
        for each in guesses():
            await quotes.quote(each)
        assert unused(await quotes.quote(asks("mine", "GOOD"))) == ["locked_out"]
        assert (await quotes.quote(asks("next", "GOOD", terminal_id="till-2"))).discount == 100
    await Stream(asks("mine", "GOOD")).into(pool)
    assert unused((await decisions(pool))["mine"]) == ["locked_out"]
    assert len(await attempts(pool)) == 2


async def test_an_anonymous_guesser_is_locked_out_by_address_and_no_till_is(
    pool: asyncpg.Pool,
) -> None:
    async with quoting(pool) as quotes:
        mine, yours = "203.0.113.5", "203.0.113.6"
        for each in guesses(POLICY["address"].failures):
            told = await quotes.quote_discreetly(each, mine)
            assert unused(told) == ["not_applied"]
        assert (await quotes.quote_discreetly(asks("q", "GOOD"), mine)).discount == 0
        assert (await quotes.quote_discreetly(asks("q", "GOOD"), yours)).discount == 100
        assert (await quotes.quote(asks("q", "GOOD"))).discount == 100
    [attempt] = await attempts(pool)
    assert attempt.who == "address"
    kept = str(await pool.fetch("select * from guesses"))
    assert mine not in kept
    assert mine not in attempt.model_dump_json()


async def test_anonymous_callers_get_the_same_answer_by_the_same_statements(
    dsn: str, pool: asyncpg.Pool
) -> None:
    """Whichever way a code is bad; nothing of it is in memory."""
    await Stream(asks("taken", "TWO")).into(pool)
    answers = []
    for bad in ("NOBODYS", "OLD", "TWO", "THEIRS"):
        statements: list[str] = []
        async with listening(dsn, statements) as heard, quoting(heard) as quotes:
            quotes.known.now = lambda: NOW  # type: ignore[method-assign]
            asked = asks("q", bad, customer_id="C1")
            told = await quotes.quote_discreetly(asked, "203.0.113.5")
        answers.append((encode(told), sorted(statements)))
    assert answers[1:] == answers[:-1]
    assert b"not_applied" in answers[0][0]
    assert answers[0][1]
