"""A receiver of webhooks, as a CRM without Kafka has one, and events for it to receive."""

import asyncio
import json
import socket
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import uvicorn
from aiokafka import AIOKafkaProducer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.local.stack import Stack
from shared import clock
from shared.codec import cloud_event_headers, encode
from shared.events.customers import Alert
from shared.topics import ALERTS
from tests.waiting import until


@dataclass(frozen=True)
class Got:
    """A request that came: when (monotonic seconds), with which headers and body, and how it was answered."""

    at: float
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events in it."""
        found: list[dict[str, Any]] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """Keeps what it gets. ``answers`` are the statuses (and headers) of the next answers; then 204 for all."""

    port: int
    got: list[Got] = field(default_factory=list)
    answers: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    always: int = 204

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook"

    def answer_with(self, *statuses: int, **headers: str) -> None:
        """Answer the next requests so."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.extend((status, named) for status in statuses)

    async def take(self, request: Request) -> Response:
        """Answer a request."""
        body = await request.body()
        status, headers = self.answers.popleft() if self.answers else (self.always, {})
        self.got.append(Got(clock.monotonic(), dict(request.headers), body, status))
        return Response(status_code=status, headers=headers)

    def taken(self, subject: str) -> list[dict[str, Any]]:
        """The events about somebody in what was answered with 2xx, in the order in which they came."""
        return [
            event
            for got in self.got
            if got.status < 300
            for event in got.events
            if event["subject"] == subject
        ]

    async def has_taken(self, subject: str, count: int = 1) -> list[dict[str, Any]]:
        """The events about somebody, once there are so many different ones."""

        async def enough() -> list[dict[str, Any]]:
            found = self.taken(subject)
            return found if len({one["id"] for one in found}) >= count else []

        return await until(enough, what=f"{count} events about {subject}")

    async def has_taken_again(self, subject: str, known: int) -> None:
        """Wait until more about somebody has come than ``known`` events."""

        async def more() -> bool:
            return len(self.taken(subject)) > known

        await until(more, what=f"events about {subject} again")


@asynccontextmanager
async def open_receiver(port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver that listens on this machine."""
    listening = socket.create_server(("127.0.0.1", port))
    receiver = Receiver(listening.getsockname()[1])
    app = Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])])
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield receiver
    finally:
        server.should_exit = True
        await serving


def subject() -> str:
    """Somebody whom nobody else alerts of."""
    return f"s-{uuid4().hex[:12]}"


def alert(about: str, now: datetime) -> Alert:
    """An alert about a store."""
    return Alert(
        alert_id=uuid4().hex,
        rule="test",
        subject_kind="store",
        subject=about,
        status="open",
        severity="low",
        times=1,
        first_seen_at=now,
        last_seen_at=now,
        changed_at=now,
    )


async def say(stack: Stack, about: str, count: int = 1) -> list[str]:
    """Publish alerts about a store, one after another; returns their events' ids."""
    now, ids = clock.now(), []
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka, enable_idempotence=True) as producer:
        for _ in range(count):
            event_id = f"a-{uuid4().hex}"
            headers = cloud_event_headers(event_id, ALERTS.event_type, "/tests", now)
            body, key = encode(alert(about, now)), about.encode()
            await producer.send(ALERTS.name, body, key=key, headers=headers)
            ids.append(event_id)
    return ids


def ids_of(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of events, each once, in the order of their first coming."""
    return list(dict.fromkeys(str(event["id"]) for event in events))
