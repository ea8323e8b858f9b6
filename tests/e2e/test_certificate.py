"""The certificates' page in a real browser: numbered slots, by mouse and keyboard, wide and narrow."""

import os
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import asyncpg
import msgspec
import pytest
from playwright.async_api import Browser, Route, expect

from deploy.local.stack import Stack
from services.evaluator.redemption import Change
from shared import clock
from tests.e2e.visitor import WITHIN_MS, Visitor, visiting

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


@pytest.fixture(params=[(1280, "light"), (360, "dark")], ids=["wide", "narrow"])
async def viewer(
    browser: Browser, stack: Stack, request: pytest.FixtureRequest
) -> AsyncIterator[Visitor]:
    """A wide window in daylight, a telephone at night."""
    width, scheme = request.param
    async with visiting(browser, stack, ["ledger:read"], width=width, scheme=scheme) as visitor:
        await visitor.page.goto(f"{stack.url('evaluator')}/certificate")
        yield visitor


async def test_slots_are_found_looked_at_and_what_differs_is_said(
    viewer: Visitor, limit: Seen, request: pytest.FixtureRequest
) -> None:
    page = viewer.page
    await page.get_by_role("searchbox").fill(limit.mark)
    row = page.get_by_role("button", name=limit.limit_id)
    await expect(page.locator("#limits button")).to_have_count(1, timeout=WITHIN_MS)
    await expect(row).to_contain_text("40 used, 2 held, 999,958 free of 1,000,000")
    await expect(row).to_contain_text("Agrees", timeout=WITHIN_MS)
    await row.press("Enter")
    await expect(page.locator("#certificate-title")).to_be_focused()
    await expect(page.locator("#verdict")).to_contain_text(
        "No. 7: it is committed, and its receipt is not there", timeout=WITHIN_MS
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
    viewer: Visitor, stack: Stack, limit: Seen
) -> None:
    page = viewer.page
    await page.goto(f"{stack.url('evaluator')}/certificate?limit={limit.limit_id}")
    await expect(page.locator("#slots tbody tr")).to_have_count(42, timeout=WITHIN_MS)
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Download as CSV").click()
    downloaded = await (await waiting.value).path()
    lines = downloaded.read_text().splitlines()
    assert (len(lines), lines[-1].split(",")[1]) == (44, "free")


async def test_nothing_found_and_a_server_that_fails_are_said(viewer: Visitor) -> None:
    page = viewer.page
    await page.get_by_role("searchbox").fill("no such limit")
    await expect(page.locator("#limits-state")).to_contain_text("No limit has", timeout=WITHIN_MS)

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, json={"detail": "A server does not answer: try again."})

    await page.route("**/v1/limits?*", fail)
    await page.reload()
    await expect(page.locator("#banner")).to_contain_text("try again", timeout=WITHIN_MS)
    await page.unroute("**/v1/limits?*")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#banner")).to_have_count(0, timeout=WITHIN_MS)


async def test_who_is_no_longer_signed_in_is_asked_to_and_comes_back(
    viewer: Visitor, stack: Stack
) -> None:
    page = viewer.page
    await expect(page.locator("#limits")).to_have_attribute("aria-busy", "false")
    await page.context.clear_cookies()
    await page.get_by_role("searchbox").fill("other")
    await page.wait_for_url(f"{stack.url('emission')}/sign-in?**", timeout=WITHIN_MS)
    assert quote("/certificate?search=other", safe="") in page.url


async def test_who_may_not_read_the_ledger_is_told_so(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack, ["statistics:read"]) as visitor:
        answer = await visitor.page.goto(f"{stack.url('evaluator')}/certificate")
        assert answer is not None
        assert answer.status == HTTPStatus.FORBIDDEN
        await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Not for your role")


async def test_the_page_speaks_ukrainian(browser: Browser, stack: Stack, limit: Seen) -> None:
    async with visiting(browser, stack, ["ledger:read"], locale="uk-UA") as visitor:
        page = visitor.page
        address = f"{stack.url('evaluator')}/certificate?search={limit.mark}&limit={limit.limit_id}"
        await page.goto(address)
        row = page.locator("#limits button")
        await expect(row).to_contain_text("використано 40, утримано 2, вільно", timeout=WITHIN_MS)
        await expect(page.locator("#slot-7")).to_contain_text("підтверджено")
