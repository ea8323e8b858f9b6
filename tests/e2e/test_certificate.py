"""The certificates' page in a real browser: numbered slots, by mouse and keyboard, wide and narrow."""

import os
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, Route, expect

from deploy.local.stack import Stack
from services.evaluator.redemption import Change
from shared import clock
from shared.web.auth import Scope, sign

_WITHIN_MS = 20_000
_ADD = """
insert into redemptions (redemption_id, receipt_id, campaign_id, instrument_id, status, discount, bonuses,
    limit_ids, limit_amounts, changed_at, taken_at, history)
select $1 || n, 'receipt-' || $1 || n, $1, 'ten', $2, 100, 0, array[$3], array[1],
    now(), now() + n * interval '1 ms', $4 from generate_series($5::int, $6::int) as n
"""


@dataclass
class Seen:
    """A limit that no other test has: 40 used, 2 held, 1 of these wrong."""

    mark: str
    limit_id: str


@pytest.fixture(scope="module")
async def limit(stack: Stack) -> AsyncIterator[Seen]:
    """The limit, as the ledger would have it; one receipt is missing."""
    mark = f"cert-{secrets.token_hex(3)}"
    limit_id = f"{mark}/ten/code"
    connection = await asyncpg.connect(stack.database("evaluator"))
    now = clock.now()
    await connection.execute(
        "insert into limits (limit_id, cap, held, used) values ($1, 1000000, 2, 40)", limit_id
    )
    await connection.execute(
        "insert into receipts (receipt_id, store_id, terminal_id, revision, status, updated_at)"
        " select 'receipt-' || $1 || n, 's', 't', 0, case when n > 40 then 'open' else 'paid' end, now()"
        " from generate_series(1, 42) as n where n <> 7",
        mark,
    )
    pack = msgspec.msgpack.Encoder().encode
    held, committed = Change("held", now), Change("committed", now + timedelta(seconds=4))
    for status, history, first, last in (
        ("committed", (held, committed), 1, 40),
        ("held", (held,), 41, 42),
    ):
        await connection.execute(_ADD, mark, status, limit_id, pack(history), first, last)
    yield Seen(mark, limit_id)
    for table, column in (("redemptions", "campaign_id"), ("limits", "limit_id")):
        await connection.execute(f"delete from {table} where {column} like $1", f"{mark}%")  # noqa: S608
    await connection.execute("delete from receipts where receipt_id like $1", f"receipt-{mark}%")
    await connection.close()


@dataclass
class Viewer:
    """The page of who has signed in, and what it complained about."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(params=[(1280, "light"), (360, "dark")], ids=["wide", "narrow"])
async def viewer(
    browser: Browser, stack: Stack, request: pytest.FixtureRequest
) -> AsyncIterator[Viewer]:
    """A wide window in daylight, a telephone at night."""
    width, scheme = request.param
    context = await browser.new_context(
        viewport={"width": width, "height": 800},
        locale="en-GB",
        timezone_id="Europe/Vienna",
        color_scheme=scheme,
    )
    page = await context.new_page()
    opened = Viewer(page, stack.url("evaluator"))

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            opened.complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    await page.goto(f"{opened.url}/certificate?token={token(stack, 'ledger:read')}")
    assert "token" not in page.url
    yield opened
    await context.close()


def token(stack: Stack, scope: Scope) -> str:
    return sign(stack.secrets.signing_key, "auditor", [scope], timedelta(hours=1), clock.now())


async def test_slots_are_found_looked_at_and_what_differs_is_said(
    viewer: Viewer, limit: Seen, request: pytest.FixtureRequest
) -> None:
    page = viewer.page
    await page.get_by_role("searchbox").fill(limit.mark)
    row = page.get_by_role("button", name=limit.limit_id)
    await expect(page.locator("#limits button")).to_have_count(1, timeout=_WITHIN_MS)
    await expect(row).to_contain_text("40 used, 2 held, 999,958 free of 1,000,000")
    await expect(row).to_contain_text("Agrees", timeout=_WITHIN_MS)
    await row.press("Enter")
    await expect(page.locator("#certificate-title")).to_be_focused()
    await expect(page.locator("#verdict")).to_contain_text(
        "No. 7: it is committed, and its receipt is not there", timeout=_WITHIN_MS
    )
    await expect(page.locator("#grid li")).to_have_count(43)
    await expect(page.locator("#grid li.range")).to_have_text("43–1,000,000free")
    await expect(page.get_by_role("link", name="Slot 41: Held")).to_be_visible()
    await page.get_by_role("link", name="Slot 7: Used, differs").press("Enter")
    line = page.locator("#slot-7")
    await expect(line).to_be_in_viewport()
    await expect(line).to_contain_text("Used")
    await expect(line.locator("li")).to_have_text([re.compile("^held "), re.compile("^committed ")])
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if folder := os.environ.get("TILLSTREAM_SCREENSHOTS"):
        name = request.node.callspec.id
        await page.evaluate("scrollTo(0, 0)")
        await page.screenshot(path=Path(folder) / f"certificate-{name}.png", full_page=True)
    await page.keyboard.press("Escape")
    await expect(page.locator("#certificate")).to_be_hidden()
    await expect(row).to_be_focused()
    assert viewer.complaints == []


async def test_a_link_leads_to_a_limit_and_its_certificate_can_be_downloaded(
    viewer: Viewer, limit: Seen
) -> None:
    page = viewer.page
    await page.goto(f"{viewer.url}/certificate?limit={limit.limit_id}")
    await expect(page.locator("#slots tbody tr")).to_have_count(42, timeout=_WITHIN_MS)
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Download as CSV").click()
    downloaded = await (await waiting.value).path()
    lines = downloaded.read_text().splitlines()
    assert (len(lines), lines[-1].split(",")[1]) == (44, "free")


async def test_nothing_found_and_a_server_that_fails_are_said(viewer: Viewer) -> None:
    page = viewer.page
    await page.get_by_role("searchbox").fill("no such limit")
    await expect(page.locator("#limits-state")).to_contain_text("No limit has", timeout=_WITHIN_MS)

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, json={"detail": "A server does not answer: try again."})

    await page.route("**/v1/limits?*", fail)
    await page.reload()
    await expect(page.locator("#banner")).to_contain_text("try again", timeout=_WITHIN_MS)
    await page.unroute("**/v1/limits?*")
    await page.context.clear_cookies()
    await page.get_by_role("searchbox").fill("other")
    await expect(page.locator("#banner")).to_contain_text("Sign in again", timeout=_WITHIN_MS)


async def test_who_may_not_read_the_ledger_is_asked_to_sign_in(
    browser: Browser, stack: Stack
) -> None:
    page = await browser.new_page()
    address = f"{stack.url('evaluator')}/certificate"
    await page.goto(address)
    await expect(page.get_by_role("heading")).to_have_text("Tillstream certificates")
    await page.goto(f"{address}?token={token(stack, 'statistics:read')}")
    await expect(page.get_by_role("alert")).to_contain_text("does not allow")
    await page.close()
