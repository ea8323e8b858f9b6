"""The life of a receipt on the real PostgreSQL: late, offline, in part, back again, and paid with points."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import pytest

from services.evaluator.expiry import Expiry
from services.evaluator.points_expiry import PointsExpiry
from shared.codec import decode
from shared.events.benefits import GiftGoods
from shared.events.checkout import Cart, GivenBenefit, Payment, Return, Sale
from shared.events.outcome import Decision, Receipt, Redemption, Returned
from shared.events.values import Event, Gift
from shared.topics import DECISIONS, RECEIPTS, REDEMPTIONS, RETURNS, Topic
from tests.builders import bonuses, instrument, line, sold_line, total
from tests.integration.evaluator import NOW, Stream, evaluator, quotes_of, run
from tests.integration.evaluator import asks as a_cart
from tests.integration.evaluator import bought as a_sale
from tests.integration.outgoing import waiting

E = TypeVar("E", bound=Event)
LIMIT = "campaign-1/instrument-1"
TEN_OFF = instrument(max_redemptions=2)
GIVEN = (GivenBenefit(campaign_id="campaign-1", instrument_id="instrument-1", discount=1_000),)


@pytest.fixture
async def ledger(dsn: str) -> AsyncIterator[asyncpg.Pool]:
    """The evaluator's tables, with one store."""
    async with evaluator(dsn) as pool:
        yield pool


def cart(number: int = 1, **values: Any) -> Cart:
    """A cart of 100.00 that nobody is known to pay."""
    defaults = {"receipt_id": f"r-{number}", "customer_id": None, "lines": (line(amount=10_000),)}
    made = a_cart(number)
    return made.model_copy(update={**defaults, **values})


def sale(number: int = 1, discount: int = 1_000, **values: Any) -> Sale:
    """The cart, paid with 10% off."""
    defaults: dict[str, Any] = {
        "receipt_id": f"r-{number}",
        "customer_id": None,
        "lines": (sold_line(amount=10_000, discount=discount),),
        "given": GIVEN if discount else (),
    }
    return a_sale(number, NOW).model_copy(update={**defaults, **values})


def a_return(number: int = 1, **values: Any) -> Return:
    """All that is left of the sale."""
    fields = {
        "intent": "return",
        "receipt_id": f"r-{number}",
        "store_id": "store-1",
        "terminal_id": "desk",
        "occurred_at": NOW,
    }
    return Return.model_validate({**fields, **values})


async def slots(pool: asyncpg.Pool) -> tuple[int, int]:
    """Held and used of the limit."""
    row = await pool.fetchrow("select held, used from limits where limit_id = $1", LIMIT)
    return (row["held"], row["used"]) if row else (0, 0)


async def statuses(pool: asyncpg.Pool, number: int = 1) -> list[str]:
    """Of the receipt's redemptions."""
    rows = await pool.fetch(
        "select status from redemptions where receipt_id = $1 order by instrument_id", f"r-{number}"
    )
    return [row["status"] for row in rows]


async def sent(pool: asyncpg.Pool, topic: Topic, model: type[E]) -> list[E]:
    """What was published on the topic."""
    return [decode(model, body or b"", ignore_unknown=True) for body in await waiting(pool, topic)]


async def expire(pool: asyncpg.Pool) -> None:
    """All sales have been read far past every hold's end."""
    await pool.execute(
        "insert into offsets (consumer, topic, partition, next, cluster_id, read_until)"
        " select 'evaluator.checkout', 'checkout.sales.v1', n, 0, 'c', clock_timestamp()"
        " from generate_series(0, 3) as n"
    )
    for table in ("redemptions", "bonus_payments"):
        await pool.execute(
            f"update {table} set expires_at = clock_timestamp() - interval '1 minute'"  # noqa: S608
            " where status = 'held'"
        )
    await Expiry(pool).free_some()
    await Expiry(pool).free_points()


async def test_a_sale_after_its_hold_has_expired_takes_a_free_slot(ledger: asyncpg.Pool) -> None:
    await run(ledger, [TEN_OFF])
    await Stream(cart()).into(ledger)
    await expire(ledger)
    assert (await statuses(ledger), await slots(ledger)) == (["expired"], (0, 0))
    await Stream(sale()).into(ledger)
    assert (await statuses(ledger), await slots(ledger)) == (["committed"], (0, 1))


async def test_a_sale_after_its_hold_when_all_slots_are_gone_is_unauthorised(
    ledger: asyncpg.Pool,
) -> None:
    await run(ledger, [TEN_OFF])
    await Stream(cart(1)).into(ledger)
    await expire(ledger)
    await Stream(cart(2), sale(2), cart(3), sale(3), sale(1)).into(ledger)
    assert await statuses(ledger, 1) == ["unauthorised"]
    assert await slots(ledger) == (0, 2)
    [receipt, *_] = [r for r in await sent(ledger, RECEIPTS, Receipt) if r.receipt_id == "r-1"]
    assert receipt.discount == 1_000  # it is in the discount cost all the same


async def test_an_offline_sale_counts_at_its_own_time(ledger: asyncpg.Pool) -> None:
    """The campaign was over when the sale came in, not when it was paid."""
    await run(ledger, [TEN_OFF], ends_at=NOW - timedelta(days=1))
    offline = sale(1, occurred_at=NOW - timedelta(days=2))
    await Stream(offline, sale(2)).into(ledger)
    assert await statuses(ledger, 1) == ["committed"]
    assert await statuses(ledger, 2) == ["unauthorised"]


async def test_a_hold_commits_after_the_campaign_has_ended_or_was_paused(
    ledger: asyncpg.Pool,
) -> None:
    await run(ledger, [TEN_OFF])
    await Stream(cart(1), cart(2)).into(ledger)
    await run(ledger, [TEN_OFF], status="paused", version=2)
    await Stream(sale(1), cart(3)).into(ledger)
    await run(ledger, [TEN_OFF], status="finished", version=3)
    await Stream(sale(2)).into(ledger)
    assert [await statuses(ledger, n) for n in (1, 2, 3)] == [["committed"], ["committed"], []]


async def test_what_was_given_differs_or_was_given_without_right(ledger: asyncpg.Pool) -> None:
    await run(ledger, [TEN_OFF])
    more = (GIVEN[0].model_copy(update={"discount": 1_200}),)
    other = (GIVEN[0].model_copy(update={"instrument_id": "mine"}),)
    lines = (sold_line(amount=10_000, discount=2_200),)
    await Stream(cart(), sale(lines=lines, given=(*more, *other))).into(ledger)
    rows = await ledger.fetch("select status, discount, mismatch from redemptions order by status")
    assert [tuple(row) for row in rows] == [
        ("committed", 1_200, 200),
        ("unauthorised", 1_000, 1_000),
    ]
    assert await slots(ledger) == (0, 1)


async def test_a_gift_out_of_stock_is_followed_by_the_next_and_none_taken_is_no_redemption(
    ledger: asyncpg.Pool,
) -> None:
    gifts = GiftGoods(gifts=(Gift(sku="mug"), Gift(sku="cap")), choose=1)
    await run(ledger, [instrument(benefit=gifts, max_redemptions=2)])
    second = (
        GivenBenefit(
            campaign_id="campaign-1", instrument_id="instrument-1", gifts=(Gift(sku="cap"),)
        ),
    )
    both = (second[0].model_copy(update={"gifts": (Gift(sku="mug"), Gift(sku="cap"))}),)
    await Stream(cart(1), sale(1, 0, given=second), cart(2), sale(2, 0)).into(ledger)
    assert [await statuses(ledger, n) for n in (1, 2)] == [["committed"], ["released"]]
    assert await slots(ledger) == (0, 1)
    await Stream(cart(3), sale(3, 0, given=both)).into(ledger)
    last = (await sent(ledger, REDEMPTIONS, Redemption))[-1]
    assert (last.status, [g.sku for g in last.gifts_mismatch]) == ("committed", ["cap"])


async def test_a_refused_hold_says_which_limit_and_what_is_left(ledger: asyncpg.Pool) -> None:
    await run(ledger, [instrument(max_redemptions=1)])
    await Stream(cart(1), cart(2)).into(ledger)
    refused = (await sent(ledger, DECISIONS, Decision))[-1].not_applied[0]
    assert (refused.reason, refused.left) == ("limit_reached", 0)


async def test_a_void_after_payment_is_a_full_return(ledger: asyncpg.Pool) -> None:
    await run(ledger, [TEN_OFF])
    await Stream(cart(), sale(), a_return()).into(ledger)
    assert (await statuses(ledger), await slots(ledger)) == (["returned"], (0, 0))
    [back] = await sent(ledger, RETURNS, Returned)
    assert (back.refund, back.complete) == (9_000, True)
    assert [r.status for r in await sent(ledger, REDEMPTIONS, Redemption)] == [
        "held",
        "committed",
        "returned",
    ]


@pytest.mark.parametrize("size", [1, 2, 9])
async def test_the_rest_is_decided_again_by_the_rules_of_then(
    ledger: asyncpg.Pool, size: int
) -> None:
    """From 100.00 on 10% off; the campaign is changed meanwhile, and says nothing of this sale."""
    rule = instrument(conditions=[total(10_000)], max_redemptions=2)
    await run(ledger, [rule])
    lines = (line(1, amount=6_000), line(2, amount=6_000))
    sold = tuple(sold_line(n, amount=6_000, discount=600) for n in (1, 2))
    given = (GIVEN[0].model_copy(update={"discount": 1_200}),)
    back = a_return(policy="reprice", lines=({"line": 1, "quantity": 1_000},))
    events: list[Cart | Sale | Return] = [cart(lines=lines), sale(lines=sold, given=given), back]
    await Stream(*events[:1]).into(ledger, size)
    await run(ledger, [instrument(max_redemptions=2)], version=2)
    await Stream(*events[1:]).into(ledger, size)
    assert (await statuses(ledger), await slots(ledger)) == (["returned"], (0, 0))
    [returned] = await sent(ledger, RETURNS, Returned)
    assert returned.refund == 10_800 - 6_000


async def test_a_return_never_erases_a_concurrent_use(ledger: asyncpg.Pool) -> None:
    """Returns and sales of many receipts at once, each in a transaction of its own."""
    await run(ledger, [instrument(max_redemptions=40)])
    for n in range(20):
        await Stream(cart(n), sale(n)).into(ledger)

    async def sell(number: int) -> None:
        await Stream(cart(number), sale(number)).into(ledger)

    returned = [Stream(a_return(n)).into(ledger) for n in range(20)]
    await asyncio.gather(*returned, *(sell(n) for n in range(20, 40)))
    assert await slots(ledger) == (0, 20)


def points(pool: asyncpg.Pool) -> Any:
    """The sum of the entries of C1, and of all entries."""
    return pool.fetchrow(
        "select coalesce(sum(points) filter (where account = 'customer/C1'), 0)::int as mine,"
        " coalesce(sum(points), 0)::int as all from bonus_entries"
    )


async def earn(pool: asyncpg.Pool, number: int = 90, **values: Any) -> None:
    """C1 buys for 100.00 and earns 1,000 points, two days ago."""
    two_days_ago = NOW - timedelta(days=2)
    who: dict[str, Any] = {"customer_id": "C1", "occurred_at": two_days_ago, **values}
    await Stream(cart(number, **who), sale(number, 0, **who)).into(pool)


def pays(points: int) -> dict[str, Sequence[Payment]]:
    return {"payments": (Payment(method="bonuses", amount=points),)}


EARNS = instrument(benefit=bonuses(fixed=1_000))


async def test_points_are_held_spent_up_to_the_share_and_refunded_as_points(
    ledger: asyncpg.Pool,
) -> None:
    await run(ledger, [EARNS])
    await earn(ledger)
    await run(ledger, [EARNS], status="finished", version=2)
    paying = cart(1, customer_id="C1", lines=(line(amount=1_000),), pay_bonuses=900)
    await Stream(paying).into(ledger)
    decision = (await sent(ledger, DECISIONS, Decision))[-1]
    assert (decision.bonus_balance, decision.bonuses_payable, decision.bonuses_held) == (
        1_000,
        500,
        500,
    )
    sold = (sold_line(amount=1_000),)
    await Stream(sale(1, 0, customer_id="C1", lines=sold, **pays(700))).into(ledger)
    receipt = (await sent(ledger, RECEIPTS, Receipt))[-1]
    assert (receipt.bonuses_paid, receipt.bonuses_unauthorised) == (500, 200)
    assert tuple(await points(ledger)) == (500, 0)
    await Stream(a_return(1)).into(ledger)
    back = (await sent(ledger, RETURNS, Returned))[-1]
    assert (back.refund, back.money, back.bonuses) == (1_000, 500, 500)
    assert tuple(await points(ledger)) == (1_000, 0)


async def test_a_quote_over_http_tells_the_points_that_a_checkout_would(
    ledger: asyncpg.Pool,
) -> None:
    await run(ledger, [EARNS])
    await earn(ledger)
    await run(ledger, [EARNS], status="finished", version=2)
    mine, another = (cart(n, customer_id="C1", lines=(line(amount=10_000),)) for n in (1, 2))
    await Stream(mine.model_copy(update={"pay_bonuses": 300})).into(ledger)
    quotes = await quotes_of(ledger)
    again, elsewhere = await quotes.quote(mine), await quotes.quote(another)
    assert (again.bonus_balance, again.bonuses_payable) == (1_000, 1_000), "its own hold is free"
    assert (elsewhere.bonus_balance, elsewhere.bonuses_payable) == (1_000, 700)
    small = another.model_copy(update={"lines": (line(amount=1_000),)})
    assert (await quotes.quote(small)).bonuses_payable == 500, "half of a receipt, at most"
    stranger = await quotes.quote(cart(3, customer_id="C2"))
    assert (stranger.bonus_balance, stranger.bonuses_payable) == (0, 0)
    nobody = await quotes.quote(cart(4))
    assert nobody.bonus_balance is None


async def test_points_are_taken_back_of_a_sale_that_comes_with_its_return(
    ledger: asyncpg.Pool,
) -> None:
    """In one batch: who only earns is not asked what they have, who returns is."""
    await run(ledger, [EARNS])
    await earn(ledger)
    lines = (sold_line(amount=10_000),)
    await Stream(sale(1, 0, customer_id="C1", lines=lines), a_return(1)).into(ledger)
    assert tuple(await points(ledger)) == (1_000, 0)


async def test_a_take_back_may_leave_a_debt_but_nobody_spends_one(ledger: asyncpg.Pool) -> None:
    await run(ledger, [EARNS])
    await earn(ledger)
    await run(ledger, [EARNS], status="finished", version=2)
    lines = (sold_line(amount=10_000),)
    await Stream(sale(1, 0, customer_id="C1", lines=lines, **pays(1_000))).into(ledger)
    await Stream(a_return(90)).into(ledger)
    assert tuple(await points(ledger)) == (-1_000, 0)
    await Stream(sale(2, 0, customer_id="C1", **pays(1))).into(ledger)
    receipt = (await sent(ledger, RECEIPTS, Receipt))[-1]
    assert (receipt.bonuses_paid, receipt.bonuses_unauthorised) == (0, 1)


async def test_held_points_are_free_again_when_the_hold_is_over_or_cancelled(
    ledger: asyncpg.Pool,
) -> None:
    await run(ledger, [EARNS])
    await earn(ledger)
    await run(ledger, [EARNS], status="finished", version=2)
    held = "select coalesce(sum(held), 0)::int from bonus_lots"
    first, second = (cart(n, customer_id="C1", pay_bonuses=800) for n in (1, 2))
    await Stream(first, second).into(ledger)
    assert await ledger.fetchval(held) == 1_000
    await Stream(second.model_copy(update={"revision": 1, "intent": "cancel"})).into(ledger)
    assert await ledger.fetchval(held) == 800
    await expire(ledger)
    assert await ledger.fetchval(held) == 0


async def test_points_wait_for_their_delay_and_expire(ledger: asyncpg.Pool) -> None:
    terms = {"active_after_days": 1, "expires_after_days": 1}
    await run(ledger, [instrument(benefit=bonuses(fixed=1_000, **terms))])
    await earn(ledger, 90, occurred_at=NOW - timedelta(hours=1))
    await Stream(cart(1, customer_id="C1")).into(ledger)
    assert (await sent(ledger, DECISIONS, Decision))[-1].bonus_balance == 0
    await earn(ledger, 91, occurred_at=NOW - timedelta(days=3))
    await PointsExpiry(ledger).expire_some()
    assert tuple(await points(ledger)) == (1_000, 0)


async def test_a_card_that_is_shown_with_payment_earns_bonuses_and_nothing_else(
    ledger: asyncpg.Pool,
) -> None:
    mine = instrument("mine", conditions=[total(10_000)], benefit=bonuses(percent=500))
    await run(ledger, [TEN_OFF, mine])
    await Stream(cart(), sale(customer_id="C1")).into(ledger)
    assert tuple(await points(ledger)) == (450, 0)
    assert await statuses(ledger) == ["committed", "committed"]
