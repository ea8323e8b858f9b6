"""The worked example of the domain, over the real services: emission → instrument → campaign → tills."""

import asyncio
from typing import Any, NamedTuple

import asyncpg

from deploy.local.stack import Stack
from shared.events.outcome import Decision
from tests.integration import emission, shop
from tests.integration.shop import Tills, a_cart, open_tills
from tests.waiting import until

CAP = 1000


class Welcome(NamedTuple):
    """10% off receipts of 300.00 or more with the word, first 1000, in one store."""

    store_id: str
    word: str
    campaign_id: str
    instrument_id: str


async def welcome(stack: Stack, store_id: str | None = None, cap: int = CAP) -> Welcome:
    """The promotion, running, in a store of its own unless one is given."""
    store_id = store_id or (await shop.open_store(stack))[0]
    word = emission.new_word()
    instrument = emission.instrument_of(await shop.post_word(stack, word))
    instrument["conditions"][1]["cap"] = cap
    campaign_id = await shop.run_campaign(stack, [instrument], stores=[store_id])
    return Welcome(store_id, word, campaign_id, instrument["instrument_id"])


async def test_the_first_thousand_receipts_of_300_with_welcome_get_ten_percent(
    stack: Stack,
) -> None:
    [store_id, other] = await shop.open_store(stack, 2)
    _, word, campaign_id, instrument_id = await welcome(stack, store_id)
    async with open_tills(stack) as tills:
        below = await tills.buy(a_cart(store_id, 29_999, codes=[word]))
        elsewhere = await tills.buy(a_cart(other, 30_000, codes=[word]))
        without = await tills.buy(a_cart(store_id, 30_000))
        bought = await asyncio.gather(
            *(
                tills.buy(a_cart(store_id, 30_000 + n, number=n, codes=[word.lower()]))
                for n in range(CAP + 100)
            )
        )
        thousand_and_first = await tills.buy(a_cart(store_id, 50_000, codes=[word]))
    assert [d.discount for d in (below, elsewhere, without)] == [0, 0, 0]
    assert below.not_applied[0].missing == 1
    assert elsewhere.not_applied[0].reason == "wrong_store"
    assert without.not_applied == ()
    assert sum(decision.discount > 0 for decision in bought) == CAP
    assert all(d.discount in (0, (d.total + 5) // 10) for d in bought)
    assert thousand_and_first.not_applied[0].reason == "limit_reached"
    await _until_settled(stack, store_id, CAP + 100 + len((below, without, thousand_and_first)))
    await _reconciles(stack, (campaign_id, instrument_id), bought)


async def _until_settled(stack: Stack, store_id: str, receipts: int) -> None:
    """Every sale of the store is recorded and rolled up."""
    analytics = await asyncpg.connect(stack.database("analytics"))

    async def rolled_up() -> bool:
        query = "select coalesce(sum(receipts), 0) from receipt_minutes where store_id = $1"
        return bool(await analytics.fetchval(query, store_id) >= receipts)

    try:
        await until(rolled_up, within_s=60, what="every receipt is in the rollups")
    finally:
        await analytics.close()


async def _reconciles(stack: Stack, instrument: tuple[str, str], decisions: list[Decision]) -> None:
    """Ledger, limit, rollups and the API agree; each is asked itself."""
    campaign_id, instrument_id = instrument
    decided = sum(decision.discount for decision in decisions)
    evaluator = await asyncpg.connect(stack.database("evaluator"))
    ledger = await evaluator.fetchrow(
        "select count(*) as n, sum(discount) as discount from redemptions"
        " where campaign_id = $1 and status = 'committed'",
        campaign_id,
    )
    limit = await evaluator.fetchrow(
        "select cap, held, used from limits where limit_id like $1", f"{campaign_id}/%"
    )
    await evaluator.close()
    analytics = await asyncpg.connect(stack.database("analytics"))
    rollup = await analytics.fetchrow(
        "select sum(activations)::bigint as n, sum(discount)::bigint as discount"
        " from instrument_minutes where campaign_id = $1 and instrument_id = $2",
        campaign_id,
        instrument_id,
    )
    await analytics.close()
    assert ledger is not None
    assert limit is not None
    assert rollup is not None
    assert (ledger["n"], ledger["discount"]) == (CAP, decided)
    assert (limit["cap"], limit["held"], limit["used"]) == (CAP, 0, CAP)
    assert (rollup["n"], rollup["discount"]) == (CAP, decided)


async def test_a_cart_sent_twice_has_one_effect_and_gets_the_same_answer(stack: Stack) -> None:
    store_id, word, campaign_id, _ = await welcome(stack)
    asked = a_cart(store_id, 40_000, codes=[word])
    async with open_tills(stack) as tills:
        event_id = await tills.send(asked)
        first = await tills.decision(asked.receipt_id)
        await tills.send(asked, event_id)
        second = await tills.decision(asked.receipt_id, number=2)
    assert second == first
    assert await _limit(stack, campaign_id) == (1, 0)


async def test_a_sale_sent_twice_is_recorded_once(stack: Stack) -> None:
    store_id, word, campaign_id, _ = await welcome(stack)
    asked = a_cart(store_id, 40_000, codes=[word])
    async with open_tills(stack) as tills:
        decision = await tills.ask(asked)
        paid = shop.sale_of(asked, decision)
        event_id = await tills.send(paid)
        await tills.send(paid, event_id)
        await tills.buy(a_cart(store_id, 123, terminal_id=asked.terminal_id))
        # Behind both on the same partition: once it is counted, so is whatever they made.
        await until(lambda: _is_counted(stack, store_id, 123), what="the last sale is counted")
    assert await _limit(stack, campaign_id) == (0, 1)
    assert await _receipts(stack, store_id) == 2


async def test_a_sale_before_its_cart_is_decided_then_and_the_cart_gets_that_answer(
    stack: Stack,
) -> None:
    store_id, word, campaign_id, instrument_id = await welcome(stack)
    late = a_cart(store_id, 40_000, codes=[word])
    async with open_tills(stack) as tills:
        probe = await tills.ask(a_cart(store_id, 40_000, codes=[word], intent="quote"))
        await tills.send(shop.sale_of(late, probe).model_copy(update={"decision_id": None}))
        await _until_settled(stack, store_id, 1)
        answer = await tills.ask(late)
    assert (answer.outcome, answer.discount) == ("paid", 4_000)
    assert [(a.campaign_id, a.instrument_id) for a in answer.applied] == [
        (campaign_id, instrument_id)
    ]
    assert await _limit(stack, campaign_id) == (0, 1)


async def test_cancel_frees_what_a_checkout_held(stack: Stack) -> None:
    store_id, word, campaign_id, _ = await welcome(stack)
    asked = a_cart(store_id, 40_000, codes=[word])
    async with open_tills(stack) as tills:
        await tills.ask(asked)
        held = await _limit(stack, campaign_id)
        cancel = asked.model_copy(update={"intent": "cancel", "revision": 1, "lines": ()})
        answer = await tills.ask(cancel)
    assert answer.outcome == "cancelled"
    assert (held, await _limit(stack, campaign_id)) == ((1, 0), (0, 0))


async def test_bonuses_are_accrued_in_a_ledger_that_balances(stack: Stack) -> None:
    [store_id] = await shop.open_store(stack)
    instrument: dict[str, Any] = emission.instrument_of() | {
        "benefit": {"kind": "bonuses", "fixed": 50}
    }
    campaign_id = await shop.run_campaign(stack, [instrument], stores=[store_id])
    customer = emission.new_id("cust")
    async with open_tills(stack) as tills:
        decision = await tills.buy(a_cart(store_id, 30_000, customer_id=customer))
        stranger = await tills.buy(a_cart(store_id, 30_000))
        await _until_settled(stack, store_id, 2)
    assert decision.bonuses == 50
    assert [refused.reason for refused in stranger.not_applied] == ["customer_unknown"]
    connection = await asyncpg.connect(stack.database("evaluator"))
    rows = await connection.fetch(
        "select account, sum(points)::bigint as points from bonus_entries"
        " where account = any($1) group by account",
        [f"customer/{customer}", f"campaign/{campaign_id}"],
    )
    accounts = {row["account"]: row["points"] for row in rows}
    await connection.close()
    assert accounts == {f"customer/{customer}": 50, f"campaign/{campaign_id}": -50}


async def test_a_personal_code_is_redeemed_once_for_life(stack: Stack) -> None:
    """Authored, posted, exported as the marketer would, and used at two tills."""
    [store_id] = await shop.open_store(stack)
    emission_id = emission.new_id("e")
    batch = {
        "emission_id": emission_id,
        "name": "Letters",
        "kind": "personal",
        "count": 3,
        "pattern": "LETTER-########",
    }
    async with shop.client(stack, "emission") as author:
        emission.ok(await author.post("/v1/emissions", json=batch), 201)
        await emission.post(author, emission_id)
        exported = await author.get(f"/v1/emissions/{emission_id}/codes")
    first, second, _ = [row for row in exported.text.split() if row.startswith("LETTER-")]
    instrument = emission.instrument_of(emission_id)
    await shop.run_campaign(stack, [instrument], stores=[store_id])
    async with open_tills(stack) as tills:
        used = await tills.buy(a_cart(store_id, 30_000, codes=[first]))
        again = await tills.buy(a_cart(store_id, 30_000, codes=[first.lower()]))
        other = await tills.buy(a_cart(store_id, 30_000, codes=[first, second]))
        wrong = await tills.ask(a_cart(store_id, 30_000, codes=["LETTER-22222222"]))
    assert [d.discount for d in (used, again, other)] == [3_000, 0, 3_000]
    assert again.not_applied[0].reason == "limit_reached"
    assert other.applied[0].code == 1
    assert (wrong.discount, wrong.unknown_codes) == (0, (0,))


async def test_pausing_stops_new_holds_and_existing_ones_still_commit(stack: Stack) -> None:
    store_id, word, campaign_id, _ = await welcome(stack)
    asked = a_cart(store_id, 40_000, codes=[word])
    async with open_tills(stack) as tills:
        decision = await tills.ask(asked)
        async with shop.client(stack, "emission") as author:
            emission.ok(await author.post(f"/v1/campaigns/{campaign_id}/pause"))
        refused = await until(
            lambda: _refusal(tills, store_id, word), what="the pause has reached the evaluator"
        )
        await tills.send(shop.sale_of(asked, decision))
        await _until_settled(stack, store_id, 1)
    assert refused == "campaign_not_active"
    assert await _limit(stack, campaign_id) == (0, 1)


async def _refusal(tills: Tills, store_id: str, word: str) -> str | None:
    """Why a quote gives nothing; None while it still does."""
    decision = await tills.ask(a_cart(store_id, 40_000, codes=[word], intent="quote"))
    return decision.not_applied[0].reason if decision.not_applied else None


async def test_a_quote_over_http_says_what_a_till_would_get_and_holds_nothing(
    stack: Stack,
) -> None:
    store_id, word, campaign_id, _ = await welcome(stack)
    asked = a_cart(store_id, 40_000, codes=[word])
    async with shop.client(stack, "evaluator") as till:

        async def promised() -> dict[str, Any] | None:
            """A quote may be made by rules of a moment ago: the campaign has only just begun."""
            found = emission.ok(await till.post("/v1/quotes", content=asked.model_dump_json()))
            return found if found["discount"] else None

        body = await until(promised, what="the campaign is among what quotes are made by")
    assert body is not None
    assert (body["intent"], body["discount"], body["outcome"]) == ("quote", 4_000, "decided")
    assert body["receipt_id"] == asked.receipt_id
    assert await _limit(stack, campaign_id) == (0, 0)


async def test_expired_holds_are_freed_once_the_sales_have_been_read_past_their_end(
    stack: Stack,
) -> None:
    store_id, word, campaign_id, _ = await welcome(stack)
    asked = a_cart(store_id, 40_000, codes=[word])
    async with open_tills(stack) as tills:
        decision = await tills.ask(asked)
        connection = await asyncpg.connect(stack.database("evaluator"))
        await connection.execute(
            "update redemptions set expires_at = now() - interval '1 minute' where receipt_id = $1",
            asked.receipt_id,
        )
        await connection.close()

        async def freed() -> bool:
            return await _limit(stack, campaign_id) == (0, 0)

        await until(freed, what="the hold has expired")
        await tills.send(shop.sale_of(asked, decision))
        await _until_settled(stack, store_id, 1)
    assert await _limit(stack, campaign_id) == (0, 1)


async def _limit(stack: Stack, campaign_id: str) -> tuple[int, int]:
    """(held, used) of the campaign's only limit."""
    connection = await asyncpg.connect(stack.database("evaluator"))
    row = await connection.fetchrow(
        "select held, used from limits where limit_id like $1", f"{campaign_id}/%"
    )
    await connection.close()
    return (row["held"], row["used"]) if row else (0, 0)


async def _is_counted(stack: Stack, store_id: str, cents: int) -> bool:
    """Whether a sale with these cents (others have round amounts) is in the rollups."""
    connection = await asyncpg.connect(stack.database("analytics"))
    total = await connection.fetchval(
        "select coalesce(sum(total), 0)::bigint from receipt_minutes where store_id = $1", store_id
    )
    await connection.close()
    return bool(total % 1000 == cents)


async def _receipts(stack: Stack, store_id: str) -> int:
    connection = await asyncpg.connect(stack.database("analytics"))
    count = await connection.fetchval(
        "select sum(receipts)::bigint from receipt_minutes where store_id = $1", store_id
    )
    await connection.close()
    return int(count)
