"""Leases over HTTP: stores keep quotas for the time they have no network; the cap holds exactly."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import orjson
import pytest

from deploy.local.stack import Stack
from shared import clock
from shared.codec import encode
from shared.events.checkout import Cart
from shared.web.auth import sign
from tests.integration import emission, shop
from tests.integration.emission import faulty_fields, ok

HOUR = timedelta(hours=1)
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Shop:
    """Two stores where the first so many receipts with a code get 10%."""

    http: httpx.AsyncClient
    ledger: asyncpg.Connection
    stores: list[str]
    word: str
    campaign_id: str
    instrument_id: str

    async def post(
        self, path: str, body: dict[str, Any] | bytes = b"", key: str | None = None
    ) -> httpx.Response:
        """Ask the evaluator; a ``key`` makes it idempotent."""
        headers = {**JSON, **({"Idempotency-Key": key} if key else {})}
        sent = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post(f"/v1{path}", content=sent, headers=headers)

    def wants(self, amount: int = 1, **fields: Any) -> dict[str, Any]:
        """What the first store asks for."""
        return {
            "store_id": self.stores[0],
            "campaign_id": self.campaign_id,
            "instrument_id": self.instrument_id,
            "condition": "code",
            "amount": amount,
            "seconds": 3_600,
            **fields,
        }

    async def lease(self, amount: int = 1, **fields: Any) -> dict[str, Any]:
        """A lease for the first store."""
        return ok(await self.post("/leases", self.wants(amount, **fields)))

    def cart(self, **values: Any) -> Cart:
        """A cart of 300.00 with the code, in the first store."""
        store_id = values.pop("store_id", self.stores[0])
        return shop.a_cart(store_id, 30_000, **{"codes": [self.word], **values})

    async def sell_offline(self, lease_id: str | None = None, **values: Any) -> dict[str, Any]:
        """The one redemption of a sale that no cart came before, which gave the 10%."""
        cart = self.cart(**values)
        outside = {"intent", "payment_methods", "price_groups", "pay_bonuses"}
        body = cart.model_dump(mode="json", exclude=outside, exclude_none=True)
        body["lines"][0]["discount"] = 3_000
        given = {"campaign_id": self.campaign_id, "instrument_id": self.instrument_id}
        body["given"] = [
            {**given, "discount": 3_000, **({"lease_id": lease_id} if lease_id else {})}
        ]
        receipt = ok(await self.post("/sales", body))
        [redemption] = receipt["redemptions"]
        return {**redemption, "receipt_id": cart.receipt_id}

    async def buy(self) -> bool:
        """Whether a checkout that was confirmed got the 10%."""
        cart = self.cart()
        decision = ok(await self.post("/checkouts", encode(cart)))
        ok(await self.post(f"/checkouts/{cart.receipt_id}/confirm"))
        return bool(decision["discount"])

    async def counts(self) -> tuple[int, int, int]:
        """What is held, leased and used of the code."""
        row = await self.ledger.fetchrow(
            "select held, leased, used from limits where limit_id = $1",
            f"{self.campaign_id}/{self.instrument_id}/code",
        )
        return tuple(row.values()) if row else (0, 0, 0)

    async def age(self, lease_id: str) -> datetime:
        """The lease was granted two hours ago and is over since a second; an instant it covers."""
        ended: datetime = await self.ledger.fetchval(
            "update leases set granted_at = now() - interval '1 hour 1 second',"
            " expires_at = now() - interval '1 second' where lease_id = $1 returning expires_at",
            lease_id,
        )
        return ended - HOUR / 2


@pytest.fixture
async def ledger(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """The evaluator's tables."""
    connection = await asyncpg.connect(stack.database("evaluator"))
    yield connection
    await connection.close()


async def open_shop(
    stack: Stack, http: httpx.AsyncClient, ledger: asyncpg.Connection, cap: int, **fields: Any
) -> Shop:
    """The promotion with this cap, running in two new stores."""
    stores = await shop.open_store(stack, 2)
    word = emission.new_word()
    instrument = emission.instrument_of(await shop.post_word(stack, word))
    instrument["conditions"][1] |= {"cap": cap, "condition_id": "code"}
    campaign_id = await shop.run_campaign(stack, [instrument | fields], stores=stores)
    return Shop(http, ledger, stores, word, campaign_id, instrument["instrument_id"])


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the evaluator with every scope."""
    async with shop.client(stack, "evaluator") as opened:
        yield opened


@pytest.fixture
async def two(stack: Stack, http: httpx.AsyncClient, ledger: asyncpg.Connection) -> Shop:
    """A shop where two receipts get it."""
    return await open_shop(stack, http, ledger, cap=2)


async def test_an_offline_sale_takes_a_slot_of_the_lease_while_the_limit_is_full(two: Shop) -> None:
    lease = await two.lease()
    assert (lease["status"], lease["left"]) == ("active", 1)
    assert [await two.buy() for _ in range(2)] == [True, False]
    assert await two.counts() == (0, 1, 1)
    assert (await two.sell_offline())["status"] == "unauthorised"
    sold = await two.sell_offline(lease["lease_id"])
    assert sold["status"] == "committed"
    assert await two.counts() == (0, 0, 2)
    assert (await two.sell_offline(lease["lease_id"]))["status"] == "unauthorised"
    back = {
        "intent": "return",
        "receipt_id": sold["receipt_id"],
        "store_id": two.stores[0],
        "terminal_id": "desk",
        "occurred_at": clock.now().isoformat(),
    }
    ok(await two.post("/returns", back))
    assert await two.counts() == (0, 0, 1)
    assert await two.buy()


async def test_a_sale_that_comes_after_the_leases_end_still_takes_of_it_until_it_is_reconciled(
    two: Shop,
) -> None:
    lease_id = (await two.lease(2))["lease_id"]
    covered = await two.age(lease_id)
    assert not await two.buy()  # time alone frees nothing
    query = f"/v1/leases?store_id={two.stores[0]}&status="
    [overdue] = ok(await two.http.get(query + "expired"))["items"]
    assert (overdue["lease_id"], overdue["left"]) == (lease_id, 2)
    assert (await two.sell_offline(lease_id, occurred_at=covered))["status"] == "committed"
    assert (await two.sell_offline(lease_id))["status"] == "unauthorised"  # made after its end
    ended = ok(await two.post(f"/leases/{lease_id}/return"))
    assert (ended["status"], ended["used"], ended["left"]) == ("reconciled", 1, 0)
    assert await two.counts() == (0, 0, 1)
    assert ok(await two.http.get(query + "expired"))["items"] == []
    assert (await two.sell_offline(lease_id, occurred_at=covered))["status"] == "committed"
    assert await two.counts() == (0, 0, 2)  # of what the lease had given back


async def test_a_lease_that_is_returned_frees_the_rest_once(two: Shop) -> None:
    lease_id = (await two.lease(2))["lease_id"]
    await two.sell_offline(lease_id)
    path, key = f"/leases/{lease_id}/return", str(uuid4())
    first = await two.post(path, key=key)
    assert ok(first)["status"] == "returned"
    answers = await asyncio.gather(*(two.post(path) for _ in range(5)), two.post(path, key=key))
    assert {answer.content for answer in answers} == {first.content}
    assert answers[-1].headers["Idempotent-Replayed"] == "true"
    assert await two.counts() == (0, 0, 1)


async def test_a_lease_of_another_store_covers_nothing(two: Shop) -> None:
    lease = await two.lease(2)
    refused = await two.sell_offline(lease["lease_id"], store_id=two.stores[1])
    assert refused["status"] == "unauthorised"
    assert await two.counts() == (0, 2, 0)


async def test_a_lease_is_granted_whole_or_refused_with_what_is_left(two: Shop) -> None:
    key, body = str(uuid4()), two.wants(2, lease_id=emission.new_id("lease"))
    first = await two.post("/leases", body, key)
    again = await two.post("/leases", body, key)
    without_key = await two.post("/leases", body)
    assert again.content == without_key.content == first.content
    assert await two.counts() == (0, 2, 0)
    full = await two.post("/leases", two.wants())
    assert faulty_fields(full, HTTPStatus.CONFLICT) == ["amount"]
    assert full.json()["errors"][0]["message"] == "0 are left"
    other = await two.post("/leases", {**body, "amount": 1})
    assert faulty_fields(other, HTTPStatus.CONFLICT) == ["lease_id"]


async def test_what_cannot_be_leased_is_refused_by_its_field(
    stack: Stack, http: httpx.AsyncClient, ledger: asyncpg.Connection
) -> None:
    limits = [
        {"redemptions": 1, "per": ["customer"]},
        {"redemptions": 3, "per": ["store"]},
        {"money": 9_000},
    ]
    here = await open_shop(stack, http, ledger, cap=5, limits=limits, max_redemptions=4)
    for wanted, status, field in (
        ({"store_id": "nowhere"}, 422, "store_id"),
        ({"campaign_id": "none"}, 404, "instrument_id"),
        ({"instrument_id": "none"}, 404, "instrument_id"),
        ({"condition": "total"}, 404, "condition"),
        ({"condition": "limit.customer"}, 422, "condition"),
        ({"amount": 0}, 422, "amount"),
        ({"seconds": 10**9}, 422, "seconds"),
    ):
        answer = await here.post("/leases", here.wants(**wanted))
        assert faulty_fields(answer, status) == [field], wanted
    gone = await here.post("/leases/none/return")
    assert faulty_fields(gone, HTTPStatus.NOT_FOUND) == ["lease_id"]
    for condition, amount in ((None, 4), ("limit.store", 3), ("limit.money", 9_000), ("code", 5)):
        ok(await here.post("/leases", here.wants(amount, condition=condition)))
    leased = await ledger.fetch(
        "select leased from limits where limit_id like $1 order by 1", f"{here.campaign_id}/%"
    )
    assert [row["leased"] for row in leased] == [3, 4, 5, 9_000]


async def test_whoever_audits_may_look_but_not_lease(two: Shop, stack: Stack) -> None:
    lease = await two.lease()
    token = sign(stack.secrets.signing_key, "auditor", ["ledger:read"], HOUR, clock.now())
    auditor = {"Authorization": f"Bearer {token}"}
    query = f"/v1/leases?store_id={two.stores[0]}&limit=1"
    page = ok(await two.http.get(query, headers=auditor))
    assert page == {"items": [lease], "next": lease["lease_id"]}
    rest = ok(await two.http.get(f"{query}&after={page['next']}", headers=auditor))
    assert rest == {"items": []}
    body = orjson.dumps(two.wants())
    refused = await two.http.post("/v1/leases", content=body, headers=auditor)
    assert refused.status_code == HTTPStatus.FORBIDDEN


async def test_leases_and_checkouts_at_once_share_a_cap_exactly(
    stack: Stack, http: httpx.AsyncClient, ledger: asyncpg.Connection
) -> None:
    here = await open_shop(stack, http, ledger, cap=30)

    async def store() -> list[str]:
        """A store that leases three, sells two or four offline, and gives back the rest."""
        answer = await here.post("/leases", here.wants(3))
        if answer.status_code == HTTPStatus.CONFLICT:
            return []
        lease_id = ok(answer)["lease_id"]
        sold = await asyncio.gather(*(here.sell_offline(lease_id) for _ in range(4)))
        ok(await here.post(f"/leases/{lease_id}/return"))
        return [redemption["status"] for redemption in sold]

    offline, online = (
        asyncio.gather(*(store() for _ in range(12))),
        asyncio.gather(*(here.buy() for _ in range(40))),
    )
    statuses, bought = [s for found in await offline for s in found], await online
    held, leased, used = await here.counts()
    assert (held, leased) == (0, 0)
    assert used == statuses.count("committed") + sum(bought) <= 30
    while await here.buy():
        used += 1
    assert used == 30
    assert await here.counts() == (0, 0, 30)
