"""How old what a dashboard shows is: from the sending of a receipt until its number is in the browser's page.

``make bench-freshness``; takes under a minute with a Kafka, a PostgreSQL, an analytics service and a Chromium of
its own, all on this machine. 2,000 receipts a second for 30 s, as the evaluator's relay sends them; the page tells
when it shows how many. Then 200 dashboards are open while receipts go on. The last line printed is a JSON object.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import cycle, islice, product
from pathlib import Path

import aiohttp
from playwright.async_api import Page, async_playwright, expect

from deploy.local import chromium
from deploy.local import stack as local
from deploy.local.stack import Stack
from shared import clock
from shared.web.auth import sign
from tests.e2e.visitor import visiting

PER_SECOND = 2_000
SECONDS = 30
DASHBOARDS = 200
_WATCHED_SECONDS = 6.0
_SETTLE_SECONDS = 1.5
TARGET_MS = 1_000
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
_OBSERVE = """() => {
  window.shown = [];
  const look = () => {
    const figure = document.querySelector('[data-figure="receipts"]');
    const number = Number(figure?.textContent.replace(/[^0-9]/g, "") || 0);
    const before = window.shown.at(-1)?.[1];
    if (number !== before) window.shown.push([(performance.timeOrigin + performance.now()) / 1000, number]);
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  look();
}"""

Moment = tuple[float, int]
"""When (seconds since 1970), and how many receipts."""


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


def latencies(sent: Sequence[Moment], shown: Sequence[Moment]) -> Iterator[float]:
    """How long each receipt took, in seconds: until the page first showed a number that has it in it."""
    numbers = [number for _, number in shown]
    before = 0
    for at, number in sent:
        for one in range(before + 1, number + 1):
            yield shown[bisect_left(numbers, one)][0] - at
        before = number


async def _sent(stack: Stack, seconds: float) -> list[Moment]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bench.paced_receipts_process"),
        *(stack.kafka, str(PER_SECOND), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return [(at, number) for at, number in json.loads(output)]


async def _observed(stack: Stack) -> tuple[list[Moment], list[Moment]]:
    """What was sent, and what a page showed."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium.ensure(), args=list(_FLAGS)
        )
        async with visiting(browser, stack, ["statistics:read"]) as visitor:
            page = visitor.page
            await page.goto(f"{stack.url('analytics')}/dashboard?period=hour")
            await expect(page.locator("#status")).to_have_attribute("data-state", "live")
            await page.evaluate(_OBSERVE)
            say("the dashboard is open")
            sent = await _sent(stack, SECONDS)
            await _shows(page, sent[-1][1])
            shown = await page.evaluate("window.shown")
        await browser.close()
    return sent, [(at, number) for at, number in shown]


async def _shows(page: Page, number: int) -> None:
    await page.wait_for_function(f"() => (window.shown.at(-1)?.[1] ?? 0) >= {number}")


def _questions() -> Iterator[str]:
    """What dashboards ask: twenty different questions."""
    periods = ("hour", "today", "7d", "30d")
    filters = (
        "",
        "&store_id=store-1",
        "&campaign_id=campaign-1",
        "&device=till",
        "&region=region-1",
    )
    for period, chosen in product(periods, filters):
        yield f"period={period}{chosen}"


async def _watch(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as answer:
        answer.raise_for_status()
        async for _ in answer.content.iter_any():
            pass


async def _mib_with_dashboards(stack: Stack) -> float:
    """The memory of the service while as many dashboards are open and receipts come."""
    token = sign(
        stack.secrets.signing_key, "bench", ["statistics:read"], timedelta(hours=1), clock.now()
    )
    sending = asyncio.create_task(_sent(stack, _SETTLE_SECONDS + _WATCHED_SECONDS))
    async with AsyncExitStack() as opened:
        session = await opened.enter_async_context(
            aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {token}"},
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        )
        urls = (f"{stack.url('analytics')}/v1/statistics/stream?{q}" for q in cycle(_questions()))
        watching = [asyncio.create_task(_watch(session, url)) for url in islice(urls, DASHBOARDS)]
        most = 0.0
        while not sending.done():
            for task in watching:
                if task.done():
                    task.result()
            most = max(most, _resident_mib(stack.pid("analytics")))
            await asyncio.sleep(0.2)
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    await sending
    return most


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def measure(stack: Stack) -> dict[str, float]:
    """How long it took, and what 200 dashboards need."""
    idle = _resident_mib(stack.pid("analytics"))
    sent, shown = await _observed(stack)
    took = sorted(latencies(sent, shown))
    shares = statistics.quantiles(took, n=100)
    say(f"{len(took)} receipts were shown in {len(shown)} steps; the last after {took[-1]:.2f} s")
    memory = await _mib_with_dashboards(stack)
    say(f"the service has {idle:.0f} MiB before, {memory:.0f} MiB with {DASHBOARDS} dashboards")
    rate = (sent[-1][1] - sent[0][1]) / (sent[-1][0] - sent[0][0])
    return {
        "receipts_per_s": round(rate),
        "p50_ms": round(1_000 * shares[49]),
        "p95_ms": round(1_000 * shares[94]),
        "p99_ms": round(1_000 * shares[98]),
        f"server_mib_{DASHBOARDS}_dashboards": round(memory),
    }


async def main() -> None:
    """Start the servers, measure, and say what was found."""
    started = clock.monotonic()
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            only = ("kafka", "postgres", "emission", "analytics")
            stack = await asyncio.to_thread(local.up, state, only)
            say(f"servers ready after {clock.monotonic() - started:.0f} s")
            found = await measure(stack)
        finally:
            await asyncio.to_thread(local.down, state, delete=True)
    reached = found["p95_ms"] < TARGET_MS
    took = clock.monotonic() - started
    say(f"{'reached' if reached else 'NOT reached'}: p95 under {TARGET_MS} ms; took {took:.0f} s")
    say(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
