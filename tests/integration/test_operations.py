"""What an operator does: dead letters sent again once their cause is mended."""

from deploy import dead_letters
from deploy.local.stack import Stack
from shared.codec import encode
from shared.topics import CARTS
from tests.integration import emission, shop
from tests.integration.shop import a_cart, open_tills
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
        assert await dead_letters.retry(stack.kafka, CARTS.name) >= 1
        decision = await tills.decision(asked.receipt_id)
    assert (decision.outcome, decision.total) == ("decided", 1_000)
    [letter] = [
        x for x in await dead_letters.letters(stack.kafka, CARTS.name) if x.event_id == event_id
    ]
    assert (letter.retried, letter.reason) == (True, "unknown_store")
    assert letter.origin.startswith(f"{CARTS.name}/")


async def _quoted(stack: Stack, store_id: str) -> bool:
    async with shop.client(stack, "evaluator") as till:
        answer = await till.post("/v1/quotes", content=encode(a_cart(store_id, 1_000)))
    return answer.status_code == 200
