"""Offers on the real stack: from a policy to a code, to the sale that uses it, and to the bigger one if none does."""

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from deploy.local.stack import Stack
from services.customers.offers.plan import held_back
from shared import clock
from shared.events.checkout import Return
from tests.integration.customers import database, new_customer
from tests.integration.emission import faulty_fields, new_id, ok
from tests.integration.offers import Place, opened
from tests.integration.shop import a_cart, open_tills
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
async def own(stack: Stack) -> AsyncIterator[Place]:
    """One in which nobody else has bought."""
    async with opened(stack) as found:
        yield found


@pytest.fixture(scope="module")
async def place(stack: Stack) -> AsyncIterator[Place]:
    async with opened(stack) as found:
        yield found


async def figures(place: Place, policy_id: str) -> dict[str, Any]:
    """How the offers of the policy's first step stand."""
    view = ok(await place.client.get(f"/v1/policies/{policy_id}"))
    first: dict[str, Any] = view["steps"][0]
    return first


async def test_a_code_of_ones_own_comes_is_used_and_comes_back_with_a_return(
    stack: Stack, place: Place
) -> None:
    async with open_tills(stack) as tills:
        customer_id = await place.customer(tills)
        async with place.running() as policy_id:
            offer = await place.offer(customer_id, "offered")
            assert offer.code is not None
            assert (offer.policy_id, offer.emission_id, offer.step) == (
                policy_id,
                place.emissions[0],
                1,
            )
            assert offer.send_at <= offer.changed_at
            stolen = await tills.ask(
                a_cart(place.store_id, 20_000, customer_id=new_customer(), codes=[offer.code])
            )
            assert stolen.discount == 0
            cart = a_cart(place.store_id, 20_000, customer_id=customer_id, codes=[offer.code])
            assert (await tills.buy(cart)).discount == 2_000
            used = await place.offer(customer_id, "used")
            assert (used.offer_id, used.receipt_id, used.code) == (
                offer.offer_id,
                cart.receipt_id,
                None,
            )
            stands = await figures(place, policy_id)
            assert {k: stands[k] for k in ("codes", "offered", "used", "likely", "given")} == {
                "codes": 1,
                "offered": 1,
                "used": 1,
                "likely": 0,
                "given": 2_000,
            }
            back = Return(
                intent="return",
                receipt_id=cart.receipt_id,
                store_id=place.store_id,
                terminal_id=cart.terminal_id,
                occurred_at=clock.now(),
            )
            await tills.send(back)
            again = await place.offer(customer_id, "offered")
            assert (again.offer_id, again.code, again.receipt_id) == (
                offer.offer_id,
                offer.code,
                None,
            )
            stands = await figures(place, policy_id)
            assert (stands["used"], stands["given"], stands["likely"]) == (0, 0, 4_000)


async def test_a_code_left_unused_is_followed_by_a_bigger_discount_and_then_by_nothing(
    stack: Stack, place: Place
) -> None:
    async with open_tills(stack) as tills:
        customer_id = await place.customer(tills)
        async with place.running():
            first = await place.offer(customer_id, "offered")
            await place.end(customer_id)
            second = await place.offer(customer_id, "offered", step=2)
            assert (await place.offer(customer_id, "expired")).code is None
            assert second.emission_id == place.emissions[1]
            assert second.code not in (None, first.code)
            assert second.reason == first.reason
            await place.end(customer_id)
            await place.offer(customer_id, "expired", step=2)
            found = ok(await place.client.get(f"/v1/customers/{customer_id}/offers"))["items"]
            assert [(one["step"], one["status"], one["discount"]) for one in found] == [
                (2, "expired", 1_500),
                (1, "expired", 1_000),
            ]
            assert {one["series_id"] for one in found} == {first.offer_id}
            assert "code" not in found[0]
            # Their pause has begun: what they buy now, without a code, leads to no other offer.
            await tills.buy(a_cart(place.store_id, 20_000, customer_id=customer_id))
            await considered(place, customer_id)
            assert (
                len(ok(await place.client.get(f"/v1/customers/{customer_id}/offers"))["items"]) == 2
            )


async def considered(place: Place, customer_id: str) -> None:
    """Wait until the policies have been asked about a customer."""
    async with database(place.stack) as connection:
        await connection.execute(
            "insert into offer_candidates values ($1, now()) on conflict do nothing", customer_id
        )

        async def taken() -> bool:
            query = "select not exists (select from offer_candidates where customer_id = $1)"
            return bool(await connection.fetchval(query, customer_id))

        await until(taken, what="the customer is considered")


async def test_who_buys_without_the_code_is_offered_no_more(stack: Stack, place: Place) -> None:
    async with open_tills(stack) as tills:
        customer_id = await place.customer(tills)
        async with place.running() as policy_id:
            await place.offer(customer_id, "offered")
            await tills.buy(a_cart(place.store_id, 20_000, customer_id=customer_id))
            await bought(place, policy_id, customer_id, 1)
            await place.end(customer_id)
            await place.offer(customer_id, "expired")
            found = ok(await place.client.get(f"/v1/customers/{customer_id}/offers"))["items"]
            assert [one["step"] for one in found] == [1]


async def bought(place: Place, policy_id: str, customer_id: str, purchases: int) -> asyncpg.Record:
    """What is counted of a customer in the days of all steps, once it is so many purchases."""
    async with database(place.stack) as connection:

        async def counted() -> asyncpg.Record | None:
            return await connection.fetchrow(
                "select * from offer_windows where policy_id = $1 and customer_id = $2"
                " and step = 0 and purchases = $3",
                policy_id,
                customer_id,
                purchases,
            )

        found = await until(counted, what=f"{purchases} purchases are counted")
        assert found is not None
        return found


async def test_the_control_group_is_sent_nothing_and_counted_alike(
    stack: Stack, own: Place
) -> None:
    policy = own.policy(control_share=5_000)
    everybody = [new_customer() for _ in range(40)]
    held = next(one for one in everybody if held_back(policy["policy_id"], one, 5_000))
    treated = next(one for one in everybody if not held_back(policy["policy_id"], one, 5_000))
    async with open_tills(stack) as tills:
        for one in (held, treated):
            await own.customer(tills, one)
        async with own.running(**policy) as policy_id:
            await own.offer(treated, "offered")
            for customer_id, purchases in ((held, 1), (treated, 2)):
                for _ in range(purchases):
                    await tills.buy(a_cart(own.store_id, 20_000, customer_id=customer_id))
            assert (await bought(own, policy_id, held, 1))["held_back"] is True
            window = await bought(own, policy_id, treated, 2)
            assert (window["held_back"], window["paid"], window["used"]) == (False, 40_000, False)
    assert await own.told(held) == []
    [record] = ok(await own.client.get(f"/v1/customers/{held}/offers"))["items"]
    assert record["status"] == "held_back"
    assert (await figures(own, policy_id))["held_back"] == 1
    async with database(stack) as connection:
        await connection.execute(
            "update offer_windows set ends_at = now() where policy_id = $1", policy_id
        )
    outcome = ok(await own.client.get(f"/v1/policies/{policy_id}/outcome"))["items"]
    assert [one["step"] for one in outcome] == [0, 1, 2]
    assert outcome[0]["treated"] == {"customers": 1, "buyers": 1, "paid": 40_000}
    assert outcome[0]["held_back"] == {"customers": 1, "buyers": 1, "paid": 20_000}
    assert (outcome[0]["used"], outcome[0]["bought_anyway"], outcome[0]["running"]) == (0, 1, 0)
    assert outcome[0]["more_buyers"] is None


async def test_kill_9_between_request_and_answer_loses_and_repeats_nothing(
    stack: Stack, place: Place
) -> None:
    """Emission is kept from answering, until the service that has asked was killed."""
    async with open_tills(stack) as tills:
        customers = [await place.customer(tills) for _ in range(5)]
    async with emission_held(stack) as let_go, place.running() as policy_id:

        async def asked() -> bool:
            return bool((await figures(place, policy_id))["codes"] >= len(customers))

        await until(asked, what="all codes are asked for")
        killed = stack.pid("customers")
        os.kill(killed, signal.SIGKILL)
        await let_go()

        async def back() -> bool:
            return stack.ready("customers", killed)

        await until(back, within_s=90, what="the service is back")
        offers = [await place.offer(customer_id, "offered") for customer_id in customers]
        assert len({one.code for one in offers}) == len(customers)
        for customer_id in customers:
            assert len(await place.told(customer_id)) == 1
        stands = await figures(place, policy_id)
        assert stands["codes"] == stands["offered"]


@asynccontextmanager
async def emission_held(stack: Stack) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Emission answers no request until it is let go."""
    connection = await asyncpg.connect(stack.database("emission"))
    holding = connection.transaction()
    await holding.start()
    await connection.execute("lock table code_requests in exclusive mode")
    try:
        yield holding.rollback
    finally:
        await connection.close()


async def test_a_policy_that_promises_what_is_not_given_is_not_started(place: Place) -> None:
    client = place.client
    wrong = place.policy(steps=[{"emission_id": place.emissions[0], "discount": 900}])
    view = ok(await client.post("/v1/policies", json=wrong), 201)
    assert view["status"] == "draft"
    path = f"/v1/policies/{wrong['policy_id']}"

    async def noted() -> bool:
        [note] = ok(await client.get(path))["notes"]
        return bool(note["finding"] == "other_discount" and note["gives"] == [1_000])

    await until(noted, what="the other discount is noted")
    assert faulty_fields(await client.post(f"{path}/start"), 409) == ["steps.0.discount"]
    nowhere = wrong | {"steps": [{"emission_id": new_id("e"), "discount": 900}]}
    ok(await client.put(path, json=nowhere))
    assert faulty_fields(await client.post(f"{path}/start"), 409) == ["steps.0.emission_id"]
    history = ok(await client.get(f"{path}/history"))["items"]
    assert [(one["action"], one["version"]) for one in history] == [("edited", 2), ("created", 1)]
    assert history[0]["changed_by"] == "tests"


async def test_policies_are_written_once_and_edited_by_their_id(place: Place) -> None:
    client, policy = place.client, place.policy(control_share=500)
    policy_id = policy["policy_id"]
    ok(await client.post("/v1/policies", json=policy), 201)
    assert ok(await client.post("/v1/policies", json=policy))["version"] == 1
    other = policy | {"name": "Another"}
    assert faulty_fields(await client.post("/v1/policies", json=other), 409) == ["policy_id"]
    assert ok(await client.put(f"/v1/policies/{policy_id}", json=other))["version"] == 2
    assert ok(await client.put(f"/v1/policies/{policy_id}", json=other))["version"] == 2
    answer = await client.put(f"/v1/policies/{new_id('p')}", json=policy)
    assert faulty_fields(answer, 422) == ["policy_id"]
    assert faulty_fields(await client.get(f"/v1/policies/{new_id('p')}"), 404) == ["policy_id"]
    listed = ok(await client.get("/v1/policies"))["items"]
    assert [one["policy"]["name"] for one in listed if one["policy"]["policy_id"] == policy_id] == [
        "Another"
    ]


async def test_a_running_policy_goes_on_promising_what_is_given(stack: Stack, place: Place) -> None:
    policy = place.policy()
    async with place.running(**policy) as policy_id:
        path = f"/v1/policies/{policy_id}"
        wrong = policy | {"steps": [{"emission_id": place.emissions[0], "discount": 900}]}
        assert faulty_fields(await place.client.put(path, json=wrong), 409) == ["steps.0.discount"]
        ok(await place.client.post(f"{path}/pause"))
        assert ok(await place.client.put(path, json=wrong))["version"] == 2


async def test_a_policy_is_tried_without_being_written(stack: Stack, place: Place) -> None:
    async with open_tills(stack) as tills:
        await place.customer(tills)
    policy = place.policy()
    found = ok(await place.client.post("/v1/policies/try", json=policy))
    assert 1 <= found["checked"] <= found["customers"]
    assert found["reached"] <= found["customers"]
    assert (await place.client.get(f"/v1/policies/{policy['policy_id']}")).status_code == 404


async def test_offers_are_read_page_by_page_the_latest_first(stack: Stack, place: Place) -> None:
    async with open_tills(stack) as tills:
        customers = {await place.customer(tills) for _ in range(3)}
    async with place.running() as policy_id:
        for one in customers:
            await place.offer(one, "offered")
        path = f"/v1/policies/{policy_id}/offers"
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = ok(await place.client.get(path, params={"limit": "2"} | after))
            found += page["items"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        mine = [one for one in found if one["customer_id"] in customers]
        assert {one["customer_id"] for one in mine} == customers
        assert len(mine) == 3
        times = [one["send_at"] for one in found]
        assert times == sorted(times, reverse=True)
        assert ok(await place.client.get(path, params={"status": "used"}))["items"] == []


async def test_the_cap_over_all_policies_is_kept(stack: Stack, place: Place) -> None:
    client = place.client
    before = ok(await client.get("/v1/offer-cap"))
    assert set(before) == {"offers", "days"}
    assert ok(await client.put("/v1/offer-cap", json={"offers": 3, "days": 5})) == {
        "offers": 3,
        "days": 5,
    }
    assert ok(await client.get("/v1/offer-cap")) == {"offers": 3, "days": 5}
    ok(await client.put("/v1/offer-cap", json=before))
