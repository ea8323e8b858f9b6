"""Tills that ask at a given rate, however long the answers take.

``python -m tests.bench.paced_process <port> <carts> <token> <rate> <seconds>``: requests come at random,
``rate`` of them a second; each waits for a connection if none is free, and its time counts from when
it came. ``carts`` is a file as ``quote.lua`` reads it; what is checked out is confirmed by the request
that comes after its answer. Prints JSON: milliseconds by percentile, of all requests and the 99th of each
kind, requests, those that failed.
"""

import asyncio
import gc
import json
import sys
from collections import deque
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from random import Random
from typing import NamedTuple, cast

import uvloop

from deploy.local.ports import HOST
from shared import clock

KINDS = ("quote", "checkout", "confirm")
_CONNECTIONS = 64
_PATIENCE_S = 30.0
_SETTLING_S = 1.0
"""The first second is not counted."""


class Request(NamedTuple):
    """What is sent, when it came, and the receipt to confirm once it is answered."""

    kind: str
    data: bytes
    came: float
    receipt_id: str | None


class Till(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, tills: "Tills") -> None:
        self._tills = tills
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is free."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its classes
        self._tills.free.append(self)

    def ask(self, request: Request) -> None:
        """Send it."""
        self._request = request
        self._transport.write(request.data)

    def data_received(self, data: bytes) -> None:
        """It may be the rest of an answer."""
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if found:
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            if len(body) >= length:
                self._answer = b""
                self._tills.answered(self, self._request, ok=head.startswith(b"HTTP/1.1 200"))


class Tills:
    """All of them, and what they measured."""

    def __init__(self, carts: Path, token: str) -> None:
        lines = [line.split("\t") for line in carts.read_text().splitlines()]
        self._carts = cycle(lines)
        self._token = token
        self._number = 0
        self._held: deque[str] = deque()
        self._waiting: deque[Request] = deque()
        self.free: deque[Till] = deque()
        self.seconds: list[tuple[float, str]] = []
        self.failed = 0
        self.open = 0

    def come(self, came: float) -> None:
        """A request comes."""
        self.open += 1
        request = self._next(came)
        if self.free:
            self.free.popleft().ask(request)
        else:
            self._waiting.append(request)

    def answered(self, till: Till, request: Request, *, ok: bool) -> None:
        """A till has its answer."""
        self.open -= 1
        self.seconds.append((clock.monotonic() - request.came, request.kind))
        self.failed += not ok
        if request.receipt_id:
            self._held.append(request.receipt_id)
        if self._waiting:
            till.ask(self._waiting.popleft())
        else:
            self.free.append(till)

    def _next(self, came: float) -> Request:
        if self._held:
            path = f"/v1/checkouts/{self._held.popleft()}/confirm"
            return Request("confirm", self._post(path, "{}"), came, None)
        kind, before, after = next(self._carts)
        self._number += 1
        receipt_id = f"paced-{self._number}"
        path, held = ("/v1/quotes", None) if kind == "quote" else ("/v1/checkouts", receipt_id)
        return Request(kind, self._post(path, before + receipt_id + after), came, held)

    def _post(self, path: str, body: str) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode("ascii")


def arrivals(rate: float, until: float) -> Iterator[float]:
    """When requests come, in seconds from the start: independently of each other."""
    random, at = Random(7), 0.0  # noqa: S311 - the same at every run
    while (at := at + random.expovariate(rate)) < until:
        yield at


async def run(port: int, carts: Path, token: str, rate: float, seconds: float) -> dict[str, float]:
    """Ask at that rate for so long."""
    loop, tills = asyncio.get_running_loop(), Tills(carts, token)
    for _ in range(_CONNECTIONS):
        await loop.create_connection(lambda: Till(tills), HOST, port)
    gc.disable()
    begun, settled = clock.monotonic(), 0
    for at in arrivals(rate, seconds + _SETTLING_S):
        if (wait := begun + at - clock.monotonic()) > 0:
            await asyncio.sleep(wait)
        if not settled and at > _SETTLING_S:
            settled = len(tills.seconds) or 1
        tills.come(begun + at)
    async with asyncio.timeout(_PATIENCE_S):
        while tills.open:
            await asyncio.sleep(0.01)
    found = tills.seconds[settled:]
    every = [seconds for seconds, _ in found]
    return {
        **{f"p{percent}_ms": _percentile_ms(every, percent) for percent in (50, 95, 99)},
        **{
            f"{name}_p99_ms": _percentile_ms([each for each, kind in found if kind == name], 99)
            for name in KINDS
        },
        "requests": len(found),
        "failed": tills.failed,
    }


def _percentile_ms(seconds: list[float], percent: int) -> float:
    return round(sorted(seconds)[len(seconds) * percent // 100] * 1_000, 2)


if __name__ == "__main__":
    _, port, carts, token, rate, seconds = sys.argv
    asking = run(int(port), Path(carts), token, float(rate), float(seconds))
    print(json.dumps(uvloop.run(asking)))  # noqa: T201
