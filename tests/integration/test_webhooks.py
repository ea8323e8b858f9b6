"""Webhooks, delivered to a real receiver: signed, again until they are taken, in order, and from any time on."""

import asyncio
import hmac
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from shared import clock
from tests.integration import shop
from tests.integration.emission import faulty_fields, ok
from tests.integration.receiver import Receiver, ids_of, open_receiver, say, subject
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the customers service."""
    async with shop.client(stack, "customers") as client:
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver."""
    async with open_receiver() as opened:
        yield opened


@asynccontextmanager
async def webhook(
    api: httpx.AsyncClient, url: str, **more: object
) -> AsyncIterator[tuple[str, str]]:
    """A webhook that is told of alerts while the block runs: its id and its secret."""
    body = {"name": "CRM", "url": url, "topics": ["alerts"]} | more
    made = ok(await api.post("/v1/webhooks", json=body), HTTPStatus.CREATED)
    webhook_id = made["webhook"]["webhook_id"]
    try:
        yield webhook_id, made["secret"]
    finally:
        answer = await api.delete(f"/v1/webhooks/{webhook_id}")
        assert answer.status_code in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)


async def state(api: httpx.AsyncClient, webhook_id: str, **expected: object) -> dict[str, Any]:
    """The webhook, once it says what is expected."""

    async def as_expected() -> dict[str, Any] | None:
        found = ok(await api.get(f"/v1/webhooks/{webhook_id}"))
        return found if expected.items() <= found.items() else None

    found = await until(as_expected, what=f"a webhook with {expected}")
    assert found is not None
    return found


async def attempt(api: httpx.AsyncClient, webhook_id: str, delivery_id: str) -> dict[str, Any]:
    """What is kept of the latest attempt at a delivery."""

    async def kept() -> dict[str, Any] | None:
        found = ok(await api.get(f"/v1/webhooks/{webhook_id}/deliveries"))["items"]
        return next((one for one in found if one["delivery_id"] == delivery_id), None)

    found = await until(kept, what="the attempt")
    assert found is not None
    return found


def signed_with(secret: str, at: str, body: bytes) -> str:
    return "v1=" + hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()


async def test_a_receiver_gets_what_is_published_and_can_check_whose_it_is(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    async with webhook(api, receiver.url) as (webhook_id, secret):
        [event_id] = await say(stack, about)
        [event] = await receiver.has_taken(about)
        assert event["id"] == event_id
        assert event["type"] == "tillstream.customers.alert.v1"
        assert event["data"]["subject"] == about
        [got] = [one for one in receiver.got if about in str(one.body)]
        assert got.headers["content-type"] == "application/cloudevents-batch+json"
        assert got.headers["tillstream-delivery"]
        at, signed = got.headers["tillstream-signature"].split(",")
        assert abs(int(at.removeprefix("t=")) - clock.now().timestamp()) < 60
        assert signed == signed_with(secret, at.removeprefix("t="), got.body)
        kept = await attempt(api, webhook_id, got.headers["tillstream-delivery"])
        assert (kept["taken"], kept["status"], kept["error"]) == (True, 204, None)
        found = await state(api, webhook_id, state="active", failures=0, behind=0)
        assert found["deliveries"] >= 1


async def test_what_is_not_taken_is_sent_again_after_ever_longer_and_nothing_overtakes_it(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    receiver.answer_with(500, 302, 429)
    async with webhook(api, receiver.url) as (webhook_id, _):
        first = await say(stack, about)
        failing = await state(api, webhook_id, state="failing")
        assert failing["last_error"].startswith("answered ")
        then = await say(stack, about, 2)
        events = await receiver.has_taken(about, 3)
        assert ids_of(events) == first + then
        assert [got.status for got in receiver.got][:3] == [500, 302, 429]
        # Half of each wait is certain: 0.5, 1 and 2 s.
        came = [got.at for got in receiver.got][:4]
        waits = [after - before for before, after in pairwise(came)]
        assert all(wait >= least for wait, least in zip(waits, (0.5, 1, 2), strict=True))
        attempts = [got.headers["tillstream-attempt"] for got in receiver.got][:4]
        assert attempts == ["1", "2", "3", "4"]
        found = await state(api, webhook_id, state="active", failed_attempts=3)
        assert (found["failures"], found["last_error"], found["due_at"]) == (0, None, None)
        kept = ok(await api.get(f"/v1/webhooks/{webhook_id}/deliveries"))["items"]
        failed = [one["error"] for one in reversed(kept) if not one["taken"]]
        assert failed == ["answered 500", "answered 302", "answered 429"]


async def test_a_receiver_that_asks_for_time_gets_it(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    receiver.answer_with(503, retry_after="3")
    async with webhook(api, receiver.url):
        await say(stack, about)
        await receiver.has_taken(about)
        first, second = receiver.got[:2]
        assert second.at - first.at >= 3


async def test_a_receiver_that_is_away_gets_everything_when_it_is_back(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    async with open_receiver() as away:
        port = away.port
    async with webhook(api, f"http://127.0.0.1:{port}/hook") as (webhook_id, _):
        said = await say(stack, about, 3)
        found = await state(api, webhook_id, state="failing", last_error="no connection")
        assert found["behind"] >= 1
        async with open_receiver(port) as back:
            # Nobody has to wait for the next attempt.
            ok(await api.post(f"/v1/webhooks/{webhook_id}/resume"))
            assert ids_of(await back.has_taken(about, 3)) == said


async def test_what_is_about_one_subject_comes_in_its_order_in_batches(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    several = [subject() for _ in range(3)]
    async with webhook(api, receiver.url) as (webhook_id, _):
        ok(await api.post(f"/v1/webhooks/{webhook_id}/pause"))
        said = dict(
            zip(several, await asyncio.gather(*(say(stack, s, 80) for s in several)), strict=True)
        )
        ok(await api.post(f"/v1/webhooks/{webhook_id}/resume"))
        for about, ids in said.items():
            assert ids_of(await receiver.has_taken(about, 80)) == ids
        assert max(len(got.events) for got in receiver.got) == 100


async def test_a_killed_service_sends_what_was_not_taken_and_loses_nothing(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    receiver.always = 500
    async with webhook(api, receiver.url) as (webhook_id, _):
        said = await say(stack, about, 5)
        await state(api, webhook_id, state="failing")
        pid = stack.pid("customers")
        os.kill(pid, signal.SIGKILL)
        said += await say(stack, about, 5)
        receiver.always = 204

        async def is_back() -> bool:
            return stack.ready("customers", pid)

        await until(is_back, within_s=60, what="the service after its kill")
        assert ids_of(await receiver.has_taken(about, 10)) == said
        again = await state(api, webhook_id, state="active")
        assert again["failed_attempts"] >= 1


async def test_everything_since_a_time_is_delivered_again(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    before = await say(stack, about, 2)
    since = clock.now()
    async with webhook(api, receiver.url) as (webhook_id, _):
        after = await say(stack, about, 2)
        assert ids_of(await receiver.has_taken(about, 2)) == after
        for start, expected in (
            (since, after),
            (since - timedelta(hours=1), before + after),
            (since, after),
        ):
            known = len(receiver.taken(about))
            body = {"since": start.isoformat()}
            ok(await api.post(f"/v1/webhooks/{webhook_id}/replay", json=body))

            async def again(known: int = known, expected: list[str] = expected) -> bool:
                return ids_of(receiver.taken(about)[known:]) == expected

            await until(again, what=f"everything since {start} again")


async def test_what_waits_can_be_skipped(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    receiver.always = 500
    async with webhook(api, receiver.url) as (webhook_id, _):
        await say(stack, about, 2)
        await state(api, webhook_id, state="failing")
        later = {"since": (clock.now() + timedelta(hours=1)).isoformat()}
        ok(await api.post(f"/v1/webhooks/{webhook_id}/replay", json=later))
        receiver.always = 204
        said = await say(stack, about)
        assert ids_of(await receiver.has_taken(about)) == said


async def test_a_webhook_may_begin_in_the_past(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    said = await say(stack, about, 2)
    since = (clock.now() - timedelta(minutes=5)).isoformat()
    async with webhook(api, receiver.url, since=since):
        assert ids_of(await receiver.has_taken(about, 2)) == said


async def test_who_does_not_want_more_is_paused_until_resumed(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    receiver.answer_with(410)
    async with webhook(api, receiver.url) as (webhook_id, _):
        said = await say(stack, about, 2)
        found = await state(api, webhook_id, state="paused", paused_because="gone")
        assert found["last_error"] == "answered 410"
        assert receiver.taken(about) == []
        ok(await api.post(f"/v1/webhooks/{webhook_id}/resume"))
        assert ids_of(await receiver.has_taken(about, 2)) == said


async def test_a_new_secret_and_the_former_one_both_sign_for_a_day(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    async with webhook(api, receiver.url) as (webhook_id, former):
        renewed = ok(await api.post(f"/v1/webhooks/{webhook_id}/secret"))
        assert renewed["secret"] != former
        await say(stack, about)
        await receiver.has_taken(about)
        [got] = [one for one in receiver.got if about in str(one.body)]
        at, *signed = got.headers["tillstream-signature"].split(",")
        moment = at.removeprefix("t=")
        assert signed == [
            signed_with(secret, moment, got.body) for secret in (renewed["secret"], former)
        ]


async def test_a_receiver_can_be_tried(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    async with webhook(api, receiver.url) as (webhook_id, secret):
        tried = ok(await api.post(f"/v1/webhooks/{webhook_id}/test"))
        assert (tried["taken"], tried["status"], tried["error"]) == (True, 204, None)
        [got] = [one for one in receiver.got if b"tillstream.webhook.test.v1" in one.body]
        at, signed = got.headers["tillstream-signature"].split(",")
        assert signed == signed_with(secret, at.removeprefix("t="), got.body)
        receiver.answer_with(418)
        tried = ok(await api.post(f"/v1/webhooks/{webhook_id}/test"))
        assert (tried["taken"], tried["error"]) == (False, "answered 418")


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("https://no-such-host.invalid/", "the host is not known"),
        ("https://10.1.1.1/", None),
        ("http://crm.example.com/", None),
    ],
)
async def test_nothing_is_sent_where_it_may_not_be(
    api: httpx.AsyncClient, url: str, error: str | None
) -> None:
    """An address is refused when it is named; what a name leads to, when it is sent to."""
    if error is None:
        body = {"name": "CRM", "url": url, "topics": ["alerts"]}
        assert faulty_fields(await api.post("/v1/webhooks", json=body), 422) == ["url"]
        return
    async with webhook(api, url) as (webhook_id, _):
        tried = ok(await api.post(f"/v1/webhooks/{webhook_id}/test"))
        assert (tried["taken"], tried["error"]) == (False, error)


async def test_a_webhook_is_told_of_another_topic_from_now_on(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    about = subject()
    await say(stack, about)
    async with webhook(api, receiver.url, topics=["segments"]) as (webhook_id, _):
        body = {"name": "New name", "url": receiver.url, "topics": ["segments", "alerts"]}
        edited = ok(await api.put(f"/v1/webhooks/{webhook_id}", json=body))
        assert (edited["name"], edited["topics"]) == ("New name", ["segments", "alerts"])
        said = await say(stack, about)
        assert ids_of(await receiver.has_taken(about)) == said


async def test_a_webhook_that_was_deleted_is_gone(
    stack: Stack, api: httpx.AsyncClient, receiver: Receiver
) -> None:
    async with webhook(api, receiver.url) as (webhook_id, _):
        assert webhook_id in {
            one["webhook_id"] for one in ok(await api.get("/v1/webhooks"))["items"]
        }
        assert (await api.delete(f"/v1/webhooks/{webhook_id}")).status_code == 204
        for method, path in (("GET", ""), ("GET", "/deliveries"), ("POST", "/pause")):
            answer = await api.request(method, f"/v1/webhooks/{webhook_id}{path}")
            assert faulty_fields(answer, 404) == ["webhook_id"]
