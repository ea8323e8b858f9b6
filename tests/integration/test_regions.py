"""Regions by customers' addresses, over HTTP on the real PostgreSQL: counted, and nowhere kept."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import httpx
import pytest

from services.evaluator import quote_http
from services.evaluator.checkout_http import Checkouts
from services.evaluator.desk import Desk
from services.evaluator.facts import Gatherer
from services.evaluator.group_commit import GroupCommit
from services.evaluator.guessing import address_hash
from services.evaluator.recording import decode_facts
from services.evaluator.regions import HEADER, Regions
from services.evaluator.replay import RulesetHistory, compare
from services.evaluator.requests import Requests
from services.evaluator.rulesets import Rulesets
from services.evaluator.store import recordings
from shared import clock
from shared.codec import encode
from shared.events.conditions import InRegion
from shared.web import plain
from shared.web.auth import Scope, sign
from shared.web.service import create_app
from tests import regions
from tests.builders import CODE_KEY, given, sold_line
from tests.integration.evaluator import NOW, asks, bought, evaluator, promise, quotes_of
from tests.integration.outgoing import waiting
from tests.unit.web.tokens import NOW as TOKENS_FROM
from tests.unit.web.tokens import keys, verifier

ADDRESS, REGION = "203.0.113.7", "Ukraine, Lviv Oblast"
SCOPES: list[Scope] = ["quotes:write", "checkouts:write"]


class Shop(NamedTuple):
    """A web shop in a store of the region West, where that region gets 10%."""

    http: httpx.AsyncClient
    pool: asyncpg.Pool

    async def post(self, path: str, body: bytes = b"", address: str | None = ADDRESS) -> Any:
        """The answer to what the shop's server sends for a customer at the address."""
        answer = await self.send(path, body, address)
        assert answer.status_code == HTTPStatus.OK, answer.text
        return answer.json()

    async def send(
        self, path: str, body: bytes = b"", address: str | None = ADDRESS
    ) -> httpx.Response:
        headers = {"Content-Type": "application/json"} | ({HEADER: address} if address else {})
        return await self.http.post(f"/v1/{path}", content=body, headers=headers)

    async def kept(self) -> str:
        """All that PostgreSQL has."""
        tables = await self.pool.fetch(
            "select table_name from information_schema.tables where table_schema = 'public'"
        )
        rows = [await self.pool.fetch(f'select * from "{name}"') for (name,) in tables]  # noqa: S608
        return str([[tuple(row) for row in table] for table in rows])


@pytest.fixture
async def shop(dsn: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """The evaluator's routes over tables of their own."""
    database = regions.write(
        tmp_path / "regions.mmdb", {"203.0.113.0/24": regions.place("Ukraine", "Lviv Oblast")}
    )
    known = Regions.read(CODE_KEY, database)

    async def ready() -> list[str]:
        return []

    async with evaluator(dsn) as pool:
        await promise(pool, InRegion(regions=("West",)))
        desk = Desk(Gatherer(Rulesets(), CODE_KEY, timedelta(minutes=15)))
        group = GroupCommit(pool, Requests(desk).apply)
        app = create_app("evaluator", verifier=verifier(), ready=ready)
        quotes = quote_http.route(await quotes_of(pool), known)
        plain.add(app, [quotes, *Checkouts(group, known).routes()])
        token = sign(keys().private_pem, "shop", SCOPES, timedelta(hours=1), TOKENS_FROM)
        applying = asyncio.create_task(group.run())
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://evaluator",
            headers={"Authorization": f"Bearer {token}"},
        ) as client:
            yield Shop(client, pool)
        applying.cancel()
        await asyncio.gather(applying, return_exceptions=True)


def cart(number: int = 1, **values: Any) -> bytes:
    return encode(asks(number, **({"channel": "web"} | values)))


async def test_a_customer_of_the_web_is_counted_where_the_address_is(shop: Shop) -> None:
    decision = await shop.post("checkouts", cart())
    assert (decision["region"], decision["discount"]) == (REGION, 100), "conditions: the store's"
    receipt = await shop.post("checkouts/cart-1/confirm", address=None)
    assert receipt["region"] == REGION
    back = {
        "intent": "return",
        "receipt_id": "cart-1",
        "store_id": "store-1",
        "terminal_id": "desk",
        "occurred_at": NOW.isoformat(),
    }
    returned = await shop.http.post("/v1/returns", json=back)
    assert returned.json()["region"] == REGION
    quote = await shop.post("quotes", cart(2))
    assert (quote["region"], quote["discount"]) == (REGION, 100)


async def test_decision_and_receipt_tell_customers_apart_by_device_cashier_and_address(
    shop: Shop,
) -> None:
    decision = await shop.post("checkouts", cart(device_id="cookie-7", cashier_id="anna"))
    other = await shop.post("checkouts", cart(2), address="203.0.113.8")
    quote = await shop.post("quotes", cart(3, device_id="cookie-7"))
    receipt = await shop.post("checkouts/cart-1/confirm", address=None)
    for told in (decision, receipt):
        assert (told["device_id"], told["cashier_id"]) == ("cookie-7", "anna")
        assert told["address"] == address_hash(ADDRESS, CODE_KEY, clock.now().date())
    assert quote["device_id"] == "cookie-7"
    assert quote["address"] == decision["address"] != other["address"]
    assert receipt["utc_offset_minutes"] == 0
    assert "address" not in await shop.post("checkouts", cart(4), address=None)


async def test_a_sale_that_was_never_decided_is_counted_there_too(shop: Shop) -> None:
    sale = bought(7, NOW).model_copy(
        update={
            "channel": "app",
            "lines": (sold_line(discount=100),),
            "given": (given(discount=100),),
        }
    )
    receipt = await shop.post("sales", encode(sale))
    assert (receipt["region"], receipt["discount"]) == (REGION, 100)


async def test_otherwise_the_region_is_the_store_s(shop: Shop) -> None:
    assert (await shop.post("checkouts", cart(1), address=None))["region"] == "West"
    assert (await shop.post("checkouts", cart(2), address="192.0.2.1"))["region"] == "West"
    assert (await shop.post("checkouts", cart(3, channel="till")))["region"] == "West"


async def test_the_address_is_no_part_of_what_is_sent_again(shop: Shop) -> None:
    first = await shop.post("checkouts", cart())
    again = await shop.post("checkouts", cart(), address="192.0.2.1")
    assert again == first


async def test_what_is_no_address_is_refused_without_repeating_it(shop: Shop) -> None:
    for path in ("checkouts", "quotes"):
        answer = await shop.send(path, cart(), "10 Downing Street")
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert HEADER in answer.text
        assert "Downing" not in answer.text


async def test_the_address_is_nowhere_kept_and_the_decision_can_be_made_again(
    shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    await shop.post("checkouts", cart())
    await shop.post("checkouts/cart-1/confirm")
    kept = await shop.kept()
    assert REGION in kept
    assert ADDRESS not in kept
    assert not any(ADDRESS.encode() in (body or b"") for body in await waiting(shop.pool))
    assert ADDRESS not in "".join(capfd.readouterr())
    async with shop.pool.acquire() as connection, connection.transaction():
        rulesets = RulesetHistory(connection)
        made = 0
        async for recorded in recordings.recordings(
            connection, NOW - timedelta(days=1), NOW + timedelta(days=1)
        ):
            facts = decode_facts(recorded.facts)
            assert compare(recorded, await rulesets.at(facts.ruleset_version), facts) is None
            made += 1
    assert made == 1
