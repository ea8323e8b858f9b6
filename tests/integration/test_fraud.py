"""Abuse, from a till's carts to the alert that a person closes, on real Kafka and PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local.stack import Stack
from shared import clock
from shared.codec import decode
from shared.events.customers import Alert, Block
from shared.events.values import Event
from shared.topics import ALERTS, BLOCKS, Topic
from tests.builders import cart, line
from tests.integration import shop
from tests.integration.customers import new_customer
from tests.integration.emission import ok
from tests.integration.traces import latest
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the customers service."""
    async with shop.client(stack, "customers") as client:
        yield client


async def guess(stack: Stack, store_id: str, customer_id: str, carts: int, each: int = 2) -> None:
    """A customer's carts with codes that nobody has."""
    async with shop.open_tills(stack) as tills:
        for number in range(carts):
            asked = cart(
                [line(1, amount=1_000)],
                receipt_id=f"r-{customer_id}-{number}",
                store_id=store_id,
                customer_id=customer_id,
                currency=shop.CURRENCY,
                occurred_at=clock.now() - timedelta(minutes=5),
                codes=[f"GUESS{uuid4().hex[:8]}" for _ in range(each)],
            )
            await tills.ask(asked)


async def alerts_of(api: httpx.AsyncClient, subject: str, **wanted: Any) -> list[dict[str, Any]]:
    """The alerts about a subject."""
    answer = ok(await api.get("/v1/alerts", params={"subject": subject, **wanted}))
    found: list[dict[str, Any]] = answer["items"]
    return found


async def alert_of(api: httpx.AsyncClient, subject: str, **expected: object) -> dict[str, Any]:
    """The one alert about a subject, once it says what is expected."""

    async def as_expected() -> dict[str, Any] | None:
        found = await alerts_of(api, subject)
        right = [one for one in found if {name: one[name] for name in expected} == expected]
        return right[0] if right else None

    alert = await until(as_expected, what=f"an alert of {subject} with {expected}")
    assert alert is not None
    return alert


async def test_guessed_codes_raise_one_alert_with_its_evidence(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    await guess(stack, store_id, customer_id, carts=4)
    alert = await alert_of(api, customer_id, times=2)
    assert (alert["rule"], alert["subject_kind"], alert["status"]) == (
        "code_guessing",
        "customer",
        "open",
    )
    [evidence] = alert["evidence"]
    assert (evidence["measure"], evidence["value"]) == ("unknown_codes", 8)
    assert set(evidence["receipts"]) == {f"r-{customer_id}-{n}" for n in range(4)}
    assert len(await alerts_of(api, customer_id)) == 1
    told = (await told_of(stack, ALERTS))[f"customer:{customer_id}"]
    assert isinstance(told, Alert)
    assert (told.alert_id, told.status) == (alert["alert_id"], "open")


async def test_a_device_is_told_of_whoever_guesses_on_it(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    """Three customers guess too little to be told of themselves."""
    [store_id] = await shop.open_store(stack)
    device_id, customers = f"d-{uuid4().hex}", [new_customer() for _ in range(3)]
    async with shop.open_tills(stack) as tills:
        for customer_id in customers:
            asked = cart(
                [line(1, amount=1_000)],
                receipt_id=f"r-{customer_id}",
                store_id=store_id,
                customer_id=customer_id,
                device_id=device_id,
                currency=shop.CURRENCY,
                occurred_at=clock.now(),
                codes=[f"GUESS{uuid4().hex[:8]}" for _ in range(2)],
            )
            await tills.ask(asked)
    alert = await alert_of(api, device_id)
    assert (alert["rule"], alert["subject_kind"]) == ("code_guessing", "device")
    assert set(alert["evidence"][0]["receipts"]) == {f"r-{one}" for one in customers}
    for customer_id in customers:
        assert await alerts_of(api, customer_id) == []


async def test_what_a_person_says_closes_the_alert_and_is_told(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    await guess(stack, store_id, customer_id, carts=3)
    alert = await alert_of(api, customer_id)
    path = f"/v1/alerts/{alert['alert_id']}"
    before = ok(await api.get("/v1/alert-rules"))["learnt"]["dismissed"]
    closed = ok(await api.post(f"{path}/dismiss", json={"note": "A misprint"}))
    assert closed["alert"]["status"] == "dismissed"
    assert [(one["action"], one["changed_by"], one["note"]) for one in closed["history"]] == [
        ("raised", None, None),
        ("dismissed", "tests", "A misprint"),
    ]
    assert ok(await api.get("/v1/alert-rules"))["learnt"]["dismissed"] == before + 1
    assert (await api.post(f"{path}/confirm", json={})).status_code == 409
    assert ok(await api.post(f"{path}/dismiss", json={}))["history"] == closed["history"]

    async def is_told() -> bool:
        found = (await told_of(stack, ALERTS)).get(f"customer:{customer_id}")
        return isinstance(found, Alert) and found.status == "dismissed"

    await until(is_told, what="the alert is told to be dismissed")


async def test_a_blocked_customer_gets_nothing_until_the_alert_is_dismissed(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    await guess(stack, store_id, customer_id, carts=3)
    alert = await alert_of(api, customer_id)
    block = f"/v1/blocks/customer/{customer_id}"
    ok(await api.put(block, json={"alert_id": alert["alert_id"], "note": "Until we know more"}))
    assert (await alert_of(api, customer_id, blocked=True))["alert_id"] == alert["alert_id"]

    async def blocked(number: int) -> str | None:
        async with shop.open_tills(stack) as tills:
            asked = cart(
                [line(1, amount=1_000)],
                receipt_id=f"r-{uuid4().hex}-{number}",
                store_id=store_id,
                customer_id=customer_id,
                currency=shop.CURRENCY,
                occurred_at=clock.now(),
            )
            return (await tills.ask(asked)).blocked

    async def is_blocked() -> bool:
        return await blocked(1) == "customer"

    async def is_free() -> bool:
        return await blocked(2) is None

    await until(is_blocked, what="the evaluator withholds promotions")
    ok(await api.post(f"/v1/alerts/{alert['alert_id']}/dismiss", json={}))
    await until(is_free, what="the evaluator gives promotions again")
    assert (await api.delete(block)).status_code == 404


async def test_a_rule_blocks_by_itself_if_it_is_told_to(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    [rule] = [
        one
        for one in ok(await api.get("/v1/alert-rules"))["items"]
        if one["rule"] == "code_guessing"
    ]
    body = {name: rule[name] for name in ("version", "enabled", "tests", "score", "blocks_s")}
    changed = ok(await api.put("/v1/alert-rules/code_guessing", json=body | {"blocks_s": 3_600}))
    try:
        again = await api.put("/v1/alert-rules/code_guessing", json=body)
        assert again.status_code == 409

        async def a_blocked_one() -> Block | None:
            # The rule holds from a moment after it was changed on: somebody new until it does, in another
            # store, since the evaluator soon listens no more to a till that guesses.
            customer_id = new_customer()
            [store_id] = await shop.open_store(stack)
            await guess(stack, store_id, customer_id, carts=3)
            await alert_of(api, customer_id)
            found = (await told_of(stack, BLOCKS)).get(f"customer:{customer_id}")
            return found if isinstance(found, Block) else None

        found = await until(a_blocked_one, within_s=60, what="a block by the rule")
        assert found is not None
        assert (found.blocked, found.subject_kind) == (True, "customer")
        assert found.until is not None
        assert found.until <= clock.now() + timedelta(hours=1)
        alert = await alert_of(api, found.subject)
        assert (alert["blocked"], alert["alert_id"]) == (True, found.alert_id)
    finally:
        ok(
            await api.put(
                "/v1/alert-rules/code_guessing", json=body | {"version": changed["version"]}
            )
        )


async def told_of(stack: Stack, topic: Topic) -> dict[str, Event]:
    """What the topic says last of each subject."""
    return {
        key.decode(): decode(topic.event, body, ignore_unknown=True)
        for key, body in (await latest(stack, topic)).items()
        if body is not None
    }
