"""The programs for CRM systems in docs/integration.md work when pasted."""

import asyncio
import json
import os
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local import ports
from deploy.local.stack import Stack
from shared import clock
from shared.codec import cloud_event_headers, encode
from shared.events.customers import Offer
from shared.events.reference import SegmentChange
from shared.topics import OFFERS, SEGMENTS
from tests.integration import shop
from tests.integration.customers import new_customer, profile_with
from tests.integration.emission import new_id
from tests.integration.erasing import basket, erase
from tests.integration.pasted import ROOT, blocks, running
from tests.integration.receiver import say, subject
from tests.waiting import until

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "integration.md"


def the_block(language: str, mark: str) -> str:
    """The one block of a language that has a mark in it."""
    [found] = [block for block in blocks(PAGE, language) if mark in block]
    return found


def rows(file: Path, sql: str, *values: str) -> list[tuple[Any, ...]]:
    """What the CRM has; nothing before it has made its tables."""
    connection = sqlite3.connect(file)
    try:
        return connection.execute(sql, values).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


async def publish(stack: Stack, customer_id: str) -> Offer:
    """Say that the customer has entered a segment, and is made an offer."""
    now = clock.now()
    change = SegmentChange(
        customer_id=customer_id, segment_id="regulars", member=True, changed_at=now
    )
    offer = Offer(
        offer_id=new_id("o"),
        customer_id=customer_id,
        policy_id="p",
        status="offered",
        reason="expected",
        step=1,
        emission_id="e",
        code="SECRET-1",
        send_at=now,
        valid_until=now,
        changed_at=now,
    )
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka) as producer:
        for topic, key, event in (
            (SEGMENTS, f"{customer_id}:regulars", change),
            (OFFERS, customer_id, offer),
        ):
            headers = cloud_event_headers(new_id("e"), topic.event_type, "/tests", now)
            await producer.send_and_wait(
                topic.name, encode(event), key=key.encode(), headers=headers
            )
    return offer


async def test_the_consumer_keeps_what_is_known_of_customers_and_forgets_who_was_erased(
    stack: Stack, tmp_path: Path
) -> None:
    consumer = the_block("python", "customers.profiles.v1")
    file = tmp_path / "crm.sqlite"
    environment = {"KAFKA": stack.kafka, "CRM_FILE": str(file), "CRM_GROUP": new_id("crm")}
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()

    async def known() -> dict[str, Any] | None:
        found = rows(file, "select profile from profiles where customer_id = ?", customer_id)
        return json.loads(found[0][0]) if found else None

    async def has_bought(times: int) -> None:
        async def as_often() -> bool:
            profile = await known()
            return profile is not None and profile["purchases"] == times

        await until(as_often, within_s=60, what=f"{times} purchases in the CRM")

    async with shop.open_tills(stack) as tills:
        with running(consumer, environment, tmp_path):
            await tills.buy(basket(store_id, customer_id, clock.now()))
            offer = await publish(stack, customer_id)
            await has_bought(1)

            async def is_there() -> list[Any]:
                return rows(
                    file, "select offer_id, code from offers where customer_id = ?", customer_id
                )

            assert await until(is_there, what="the offer") == [(offer.offer_id, "SECRET-1")]

            async def is_member() -> list[Any]:
                return rows(
                    file, "select segment_id from segments where customer_id = ?", customer_id
                )

            assert ("regulars",) in await until(is_member, what="the segment")
        # It was killed; what happened meanwhile is read when it is back.
        await tills.buy(basket(store_id, customer_id, clock.now()))
        await profile_with(stack, customer_id, purchases=2)
        with running(consumer, environment, tmp_path):
            await has_bought(2)
            await erase(stack, customer_id)

            async def is_forgotten() -> bool:
                return not any([await known(), await is_there()])

            await until(is_forgotten, what="a CRM that has forgotten the customer")
    assert (tmp_path / "out").read_text() == ""


async def test_the_receiver_takes_what_is_ours_and_nothing_else(
    stack: Stack, tmp_path: Path
) -> None:
    receiver, make = (
        the_block("python", "BaseHTTPRequestHandler"),
        the_block("bash", "/v1/webhooks"),
    )
    port = ports.other()
    async with shop.client(stack, "customers") as api:
        token = api.headers["authorization"].removeprefix("Bearer ")
        made = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-eu", "-c", make.replace("8899", str(port))],
            env={**os.environ, "CUSTOMERS": stack.url("customers"), "TOKEN": token},
            capture_output=True,
            text=True,
            check=True,
        )
        answer = json.loads(made.stdout)
        environment = {"WEBHOOK_SECRET": answer["secret"], "PORT": str(port)}
        about = subject()
        try:
            with running(receiver, environment, tmp_path):
                await say(stack, about)

                async def has_come() -> bool:
                    return about in (tmp_path / "out").read_text()

                await until(has_come, what="the event at the receiver")
                assert f"tillstream.customers.alert.v1 {about}" in (tmp_path / "out").read_text()
                async with httpx.AsyncClient(trust_env=False) as stranger:
                    for signature in ("", f"t={int(clock.now().timestamp())},v1={'0' * 64}"):
                        refused = await stranger.post(
                            f"http://127.0.0.1:{port}/",
                            content=b"[]",
                            headers={"Tillstream-Signature": signature},
                        )
                        assert refused.status_code == 401
        finally:
            webhook_id = answer["webhook"]["webhook_id"]
            assert (await api.delete(f"/v1/webhooks/{webhook_id}")).status_code == 204
