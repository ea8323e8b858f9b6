"""Recorded decisions: told to a person, and made again byte for byte."""

import asyncio
import re
from datetime import timedelta

import asyncpg
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from deploy.local.stack import Stack
from services.evaluator.receipt import event_key_of
from services.evaluator.replay import RulesetHistory
from services.evaluator.rulesets import Rulesets
from shared import clock
from tests.integration import emission, shop
from tests.integration.periods import open_evaluator, publish, twice
from tests.integration.shop import a_cart, open_store, open_tills, post_word, run_campaign


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal without line breaks in the middle of what is looked for."""
    monkeypatch.setenv("COLUMNS", "200")


async def run(stack: Stack, *arguments: str) -> tuple[int, str]:
    """The exit code and the output of the command line, which has an event loop of its own."""
    invoke = CliRunner().invoke
    done = await asyncio.to_thread(invoke, app, [*arguments, "--state", str(stack.state)])
    return done.exit_code, done.output + str(done.exception or "")


async def test_a_decision_is_explained_and_made_again(stack: Stack, wide: None) -> None:
    [store] = await open_store(stack)
    word = emission.new_word()
    instrument = emission.instrument_of(await post_word(stack, word))
    begun = clock.now()
    campaign_id = await run_campaign(stack, [instrument], stores=[store])
    async with open_tills(stack) as tills:
        enough = await tills.buy(a_cart(store, 30_000, codes=(word, "NOSUCHCODE")))
        little = await tills.ask(a_cart(store, 25_750, codes=(word,)))
    code, told = await run(stack, "explain", enough.decision_id)
    assert code == 0
    assert re.search(r"10% off the receipt: UAH 30\.00 off; with code no\. 1", told)
    assert "code no. 2: nobody has issued such a code" in told
    assert f"left of limit {campaign_id}/{instrument['instrument_id']}/code: 1000" in told
    code, told = await run(stack, "explain", little.receipt_id)
    assert code == 0
    assert "a condition is not met (receipt_total): UAH 42.50 more" in told
    assert "UAH 42.50 more gets 10% off the receipt" in told
    assert little.ruleset_hash is not None
    assert little.ruleset_hash in told

    period = ("--from", begun.isoformat(), "--to", (clock.now() + timedelta(1)).isoformat())
    code, told = await run(stack, "replay", *period)
    assert code == 0, told
    assert re.search(r"[1-9]\d* decisions made again, 0 differ", told)

    await _tamper(stack, enough.decision_id)
    try:
        code, told = await run(stack, "replay", *period)
        assert code == 1
        assert "1 differ" in told
        assert enough.decision_id in told
    finally:
        await _tamper(stack, enough.decision_id, back=True)


async def _tamper(stack: Stack, decision_id: str, *, back: bool = False) -> None:
    """Change one byte of a recorded decision, or change it back."""
    words = (b'"discount":3000', b'"discount":3001')
    old, new = reversed(words) if back else words
    connection = await asyncpg.connect(stack.database("evaluator"))
    try:
        key = event_key_of(decision_id)
        kept = await connection.fetchval(
            "select decision from checkout_events where event_key = $1", key
        )
        assert old in kept
        await connection.execute(
            "update checkout_events set decision = $2 where event_key = $1",
            key,
            kept.replace(old, new, 1),
        )
    finally:
        await connection.close()


async def test_a_replay_goes_by_the_rules_of_then(stack: Stack, wide: None) -> None:
    """An edited campaign decides new carts; what it decided before stays as it was."""
    [store] = await open_store(stack)
    instrument = emission.instrument_of(percent=1_000)
    begun = clock.now()
    await run_campaign(stack, [instrument], stores=[store])
    async with open_tills(stack) as tills, shop.client(stack, "emission") as author:
        before = await tills.ask(a_cart(store, 40_000))
        changed = instrument | {"benefit": {"kind": "percent_off", "percent": 2_000}}
        path = f"/v1/instruments/{instrument['instrument_id']}"
        emission.ok(await author.put(path, json=changed))
        after = await tills.ask(a_cart(store, 40_000))
        while after.discount == before.discount:  # until the evaluator has read the edit
            after = await tills.ask(a_cart(store, 40_000))
    assert (before.discount, after.discount) == (4_000, 8_000)
    assert before.ruleset_hash != after.ruleset_hash
    code, told = await run(
        stack, "replay", "--from", begun.isoformat(), "--to", clock.now().isoformat()
    )
    assert code == 0, told


async def test_what_was_decided_before_the_first_campaign_goes_by_no_rules(dsn: str) -> None:
    rulesets = Rulesets()
    async with open_evaluator(dsn) as pool:
        async with pool.acquire() as connection, connection.transaction():
            before, _ = await rulesets.current(connection, lock=False)
        await publish(pool, twice(), 0, clock.now())
        async with pool.acquire() as connection, connection.transaction():
            again = await RulesetHistory(connection).at(before.version)
            after, _ = await rulesets.current(connection, lock=False)
    assert (again.version, again.hash) == (before.version, before.hash)
    assert after.version > before.version
    assert after.hash != before.hash


async def test_what_is_not_known_is_said_so(stack: Stack) -> None:
    code, told = await run(stack, "explain", "d-00")
    assert code == 1
    assert "no decision or receipt d-00 is known" in told
