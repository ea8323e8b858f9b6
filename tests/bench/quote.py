"""How fast carts are quoted over HTTP with the real service, beside a bare ASGI application.

``make bench-quote``; takes under a minute with a Kafka and a PostgreSQL of its own. The last line
printed is a JSON object. Carts of 20 lines (``tests.bench.carts``) meet some twenty instruments of 1,000
campaigns; most have a customer with purchases. Four carts in five are quoted; the fifth has a code with
a limit more, is checked out, which holds, and is confirmed. ``wrk`` sends the same requests, in turns, to
the service and to an application that reads them and answers as many bytes, each one process, served
alike. Every request counts, and none may fail. Then tills come at half of the rate that was reached,
at random, and the times until they have their answers are measured.
"""

import asyncio
import json
import logging
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec

from deploy.local import stack as local
from deploy.local.ports import HOST, other
from deploy.local.services import answers, environment
from deploy.local.stack import Stack
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.purchases import Bought, BoughtLine, PaidReceipt
from services.evaluator.store import purchases as purchase_store
from services.evaluator.store.reference import KnownCode
from shared import clock
from shared.web.auth import sign
from tests.bench.campaigns import ENDS, NOW, STARTS, bodies
from tests.bench.carts import Chain, chain
from tests.bench.decisions import publish_rules, running, say

CAMPAIGNS = 1_000
CARTS = 2_000
ONE_IN = 5
"""So many carts are one that is checked out and confirmed."""
TURNS = 3
QUOTE_SECONDS, BARE_SECONDS, PACED_SECONDS = 6, 3, 8
CONNECTIONS = 64
DESCRIBED = 500
PATIENCE_SECONDS = 30
"""A machine that others use, too, may be slow; an answer that never comes is a failure."""
TARGET, TARGET_P99_MS = 0.25, 20.0
LIMITED = "CODE-LIMITED"
_RECEIPT = "@receipt@"
_POLL_SECONDS = 0.05
_SCRIPT = Path(__file__).with_name("quote.lua")


def limited_campaign() -> bytes:
    """5% off with a code that has a limit, which every fifth cart counts for."""
    code = {"kind": "promo_code", "condition_id": "code", "emission_id": "emission-limited"}
    return msgspec.json.encode(
        {
            "campaign_id": "campaign-limited",
            "version": 1,
            "name": "One limit for all",
            "status": "running",
            "time_zone": "Europe/Kyiv",
            "starts_at": STARTS.isoformat(),
            "ends_at": ENDS.isoformat(),
            "instruments": [
                {
                    "instrument_id": "limited",
                    "name": "5% off",
                    "conditions": [{**code, "cap": 1_000_000}],
                    "benefit": {"kind": "percent_off", "percent": 500},
                }
            ],
            "emissions": [
                {
                    "emission_id": "emission-limited",
                    "kind": "mass",
                    "single_use": False,
                    "posted_codes": 1,
                }
            ],
        }
    )


def asked(of: Chain) -> Iterator[tuple[str, str, str]]:
    """For ``quote.lua``: what each cart is for, and its body before and after the receipt's id."""
    now = clock.now().isoformat()
    for number, message in enumerate(of.bodies):
        cart = msgspec.json.decode(message) | {"receipt_id": _RECEIPT, "occurred_at": now}
        kind = "checkout" if number % ONE_IN == 0 else "quote"
        if kind == "checkout":
            cart["codes"].append(LIMITED)
        before, _, after = msgspec.json.encode(cart).decode().partition(_RECEIPT)
        yield kind, before, after


async def bring_purchases(dsn: str, of: Chain) -> None:
    """What customers bought before, as many days ago as they did."""
    passed = clock.now() - NOW
    paid = [
        PaidReceipt(
            each.receipt_id,
            customer,
            each.occurred_at + passed,
            Bought(tuple(_bought(n, line) for n, line in enumerate(each.lines, 1))),
            {},
        )
        for customer, purchases in of.purchases.items()
        for each in purchases
    ]
    connection = await asyncpg.connect(dsn)
    await purchase_store.save(connection, paid)
    await connection.execute("analyze purchases")
    await connection.close()


def _bought(number: int, line: Any) -> BoughtLine:
    return BoughtLine(
        line.sku,
        line.quantity,
        line.amount,
        line.group,
        line.brand,
        line.attributes,
        line.discounted,
        number,
        line.amount,
    )


@dataclass(frozen=True)
class Server:
    """A process that answers on a port."""

    port: int
    pid: int

    def cpu_us(self) -> float:
        """Microseconds of processor time that it has used."""
        used = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK") * 1e6


@dataclass(frozen=True)
class Rate:
    """Requests answered per second, and what each took of the server's processor time."""

    per_s: float
    cpu_us: float


@dataclass(frozen=True)
class Bench:
    """Both servers, and what is asked of them."""

    carts: Path
    token: str
    quotes: Server
    bare: Server

    async def described(self) -> dict[str, float]:
        """What the first carts are answered, on average, as quotes; each is asked about until it is."""
        found: list[tuple[int, dict[str, Any]]] = []
        async with self._till() as till:
            for line in self.carts.read_text().splitlines()[:DESCRIBED]:
                _, before, after = line.split("\t")
                body = f"{before}described{after}"
                while (
                    answer := await till.post("/v1/quotes", content=body)
                ).status_code != HTTPStatus.OK:
                    await asyncio.sleep(_POLL_SECONDS)
                found.append((len(answer.content), answer.json()))
        return {
            "bytes": statistics.mean(size for size, _ in found),
            **{
                name: statistics.mean(len(each.get(name, ())) for _, each in found)
                for name in ("applied", "not_applied", "near_misses")
            },
        }

    async def stale(self) -> int:
        """How many quotes were stale so far."""
        async with self._till() as till:
            shown = (await till.get("/metrics")).text
        return sum(
            int(float(line.split()[-1]))
            for line in shown.splitlines()
            if line.startswith("tillstream_quotes_stale_total ")
        )

    def _till(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(
            base_url=f"http://{HOST}:{self.quotes.port}", headers=headers, trust_env=False
        )

    async def rate(self, server: Server, seconds: int, run: str) -> Rate:
        """How fast it answers. Raises ``RuntimeError`` if any request is refused or breaks."""
        options = (
            *("--threads", "1", "--connections", str(CONNECTIONS)),
            *("--duration", f"{seconds}s", "--timeout", f"{PATIENCE_SECONDS}s"),
        )
        url, arguments = f"http://{HOST}:{server.port}/", (str(self.carts), self.token, run)
        command = ("wrk", *options, "--script", str(_SCRIPT), url, "--", *arguments)
        before = server.cpu_us()
        found = json.loads((await output_of(*command)).splitlines()[-1])
        used = server.cpu_us() - before
        if found["refused"] or found["broken"] or not found["requests"]:
            message = f"{run}: of {found['requests']} requests {found['refused']} were refused, {found['broken']} broke"
            raise RuntimeError(message)
        count = found["requests"]
        return Rate(count / found["microseconds"] * 1e6, used / count)

    async def paced(self, rate: float) -> dict[str, float]:
        """How long tills wait that come at this rate. Raises ``RuntimeError`` if any is refused."""
        arguments = (
            str(self.quotes.port),
            str(self.carts),
            self.token,
            str(rate),
            str(PACED_SECONDS),
        )
        module = ("-m", "tests.bench.paced_process")
        found: dict[str, float] = json.loads(await output_of(sys.executable, *module, *arguments))
        if found["failed"]:
            message = f"at {rate:.0f}/s {found['failed']} requests were refused"
            raise RuntimeError(message)
        return found


async def output_of(*command: str) -> str:
    """What a command prints. Raises ``RuntimeError`` if it fails."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    if process.returncode:
        message = f"{command[0]} ended with {process.returncode}"
        raise RuntimeError(message)
    return printed.decode()


async def measure(bench: Bench) -> dict[str, float]:
    """Turns of both, then the paced load."""
    rates: dict[str, list[Rate]] = {"quotes": [], "bare": []}
    await bench.rate(bench.quotes, 2, "warm")
    stale = await bench.stale()
    for turn in range(1, TURNS + 1):
        rates["quotes"].append(await bench.rate(bench.quotes, QUOTE_SECONDS, f"turn-{turn}"))
        rates["bare"].append(await bench.rate(bench.bare, BARE_SECONDS, f"turn-{turn}"))
        shown = [
            f"{name} {values[-1].per_s:,.0f}/s, {values[-1].cpu_us:.0f} µs of processor time each"
            for name, values in rates.items()
        ]
        say(f"turn {turn} of {TURNS}: {'; '.join(shown)}")
    per_s = {n: statistics.median(each.per_s for each in values) for n, values in rates.items()}
    cpu_us = {n: statistics.median(each.cpu_us for each in values) for n, values in rates.items()}
    paced = await bench.paced(per_s["quotes"] / 2)
    return {
        **{f"{name}_per_s": round(value) for name, value in per_s.items()},
        "quotes_of_bare": round(per_s["quotes"] / per_s["bare"], 3),
        **{f"{name}_cpu_us": round(value) for name, value in cpu_us.items()},
        **{name: value for name, value in paced.items() if name.endswith("_ms")},
        "paced_per_s": round(paced["requests"] / PACED_SECONDS),
        "stale": await bench.stale() - stale,
    }


async def main() -> None:
    """Start the servers, measure, and say what was found."""
    started = clock.monotonic()
    logging.disable(logging.WARNING)  # a new topic's first answers: no leader yet, try again
    if shutil.which("wrk") is None:
        message = "wrk is not installed: install the package wrk (apt-get install wrk)"
        raise SystemExit(message)
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack = await asyncio.to_thread(local.up, state, ("kafka", "postgres"))
            say(f"servers ready after {clock.monotonic() - started:.0f} s")
            found = await _measure(stack, state)
        finally:
            await asyncio.to_thread(local.down, state, delete=True)
    reached = found["quotes_of_bare"] >= TARGET and found["p99_ms"] < TARGET_P99_MS
    say(
        f"{'reached' if reached else 'NOT reached'}: {TARGET} of the bare application, p99 under"
        f" {TARGET_P99_MS:.0f} ms; took {clock.monotonic() - started:.0f} s"
    )
    say(json.dumps(found))


async def _measure(stack: Stack, state: Path) -> dict[str, float]:
    of = chain(CAMPAIGNS, CAMPAIGNS, Ruleset.empty(), CARTS)
    codes = {**of.facts.codes, LIMITED.encode(): KnownCode("emission-limited")}
    of = replace(of, facts=replace(of.facts, codes=codes))
    await publish_rules(stack, of, [*bodies(CAMPAIGNS), limited_campaign()])
    carts = state / "carts"
    carts.write_text("".join("\t".join(line) + "\n" for line in asked(of)))
    token = sign(
        stack.secrets.signing_key,
        "bench",
        ["quotes:write", "checkouts:write"],
        timedelta(hours=1),
        clock.now(),
    )
    port, bare_port = other(), other()
    variables = environment(
        "evaluator",
        stack.secrets,
        kafka=stack.kafka,
        admin=stack.postgres,
        ports={"evaluator": port},
        inherited=os.environ,
    )
    async with running("services.evaluator", **variables) as evaluator:
        while not await answers(f"http://{HOST}:{port}", variables["TILLSTREAM_INSTANCE"]):
            await asyncio.sleep(_POLL_SECONDS)
        await bring_purchases(stack.database("evaluator"), of)
        quotes = Server(port, evaluator.pid)
        described = await Bench(carts, token, quotes, quotes).described()
        say(", ".join(f"{name} {value:.1f}" for name, value in described.items()))
        size = str(round(described["bytes"]))
        async with running("tests.bench.bare_http_process", str(bare_port), size) as bare:
            bench = Bench(carts, token, quotes, Server(bare_port, bare.pid))
            return {**await measure(bench), "decision_bytes": int(size)}


if __name__ == "__main__":
    asyncio.run(main())
