"""Segments, related groups and regions in a browser: written, counted, and looked through."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from deploy.local.stack import Stack
from services.customers import store as customer_store
from services.customers.cross_sell.search import Search
from services.customers.profile import Kept, Sold
from shared import clock, database
from shared.web.auth import Scope
from tests.e2e.everybody import violations
from tests.e2e.visitor import WITHIN_MS, Scheme, visiting
from tests.integration.emission import new_id
from tests.integration.segments import Customers
from tests.unit.customers.segments.customers import Trip

pytestmark = pytest.mark.slow

WRITER: tuple[Scope, ...] = (
    "customers:read",
    "customers:write",
    "campaigns:read",
    "campaigns:write",
)
READER: tuple[Scope, ...] = ("customers:read",)
GROUP, RELATED = "Tea of the segments' test", "Biscuits of the segments' test"


@pytest.fixture(scope="module")
async def customers(stack: Stack) -> AsyncIterator[Customers]:
    """Seven customers who bought a group of their own, four of them often; and receipts that have a related one."""
    async with await database.pool(stack.database("customers")) as pool:
        found = Customers(pool, clock.now())
        goods = ((GROUP, 1_000, 500),)
        for n in range(7):
            trips = [Trip(days=2, goods=goods)] * (4 if n < 4 else 1)
            await found.put(new_id("c"), *trips)
        mark, at = new_id("r"), found.now - timedelta(days=1)
        both, other = [Sold(1, GROUP), Sold(2, RELATED)], [Sold(1, "Soap")]
        async with pool.acquire() as connection:
            await customer_store.keep_receipts(
                connection,
                [
                    (f"{mark}-{n}", None, at, Kept("North", "s1", False, False, lines))
                    for n, lines in enumerate([both] * 40 + [other] * 80)
                ],
            )
        await Search(pool).renew()
        yield found


async def test_a_segment_is_written_with_its_sentence_and_count_and_then_has_members(
    browser: Browser, stack: Stack, customers: Customers
) -> None:
    name = f"Tea lovers {new_id('n')}"
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/segments")
        await page.get_by_role("link", name="New segment").click()
        await page.get_by_label("Name").fill(name)
        await page.get_by_role("button", name="Buyers of a kind of product").click()
        await page.get_by_label("Product groups").fill(GROUP)
        sentence = page.locator("#sentence")
        await expect(sentence).to_contain_text(
            f"purchases with the group “{GROUP}” in the last 90 days is 3 or more",
            timeout=WITHIN_MS,
        )
        await expect(page.locator("#matching")).to_have_text("4", timeout=WITHIN_MS)
        await page.get_by_role("textbox", name="How much").fill("1")
        await expect(page.locator("#matching")).to_have_text("7", timeout=WITHIN_MS)
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#members")).to_have_text("7", timeout=60_000)
        await page.get_by_role("tab", name="Members").click()
        await expect(page.locator("table tbody tr")).to_have_count(7, timeout=WITHIN_MS)
        await page.get_by_role("tab", name="Coming and going").click()
        await expect(page.get_by_role("img", name=re.compile("7 entered"))).to_be_visible()
        await page.get_by_text("As a table").click()
        await expect(page.locator("details table tbody tr").first).to_contain_text("7")
        await page.get_by_role("tab", name="Who is in it").click()
        await page.get_by_role("textbox", name="How much").fill("2")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#members")).to_have_text("4", timeout=60_000)
        await page.get_by_role("tab", name="History").click()
        await expect(page.locator("table tbody tr")).to_have_count(2, timeout=WITHIN_MS)
        await page.get_by_role("button", name="Archive").click()
        await page.get_by_role("dialog").get_by_role("button", name="Archive").click()
        await expect(page.locator("#members")).to_have_text("0", timeout=60_000)
    assert visitor.complaints == []


async def test_what_is_missing_is_said_while_one_writes(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/segment")
        await page.get_by_label("In the last days").fill("999")
        await expect(page.get_by_text("Still to be filled in:")).to_be_visible(timeout=WITHIN_MS)
        await expect(page.locator(".sentence")).to_contain_text("less than or equal to 400")
    assert visitor.complaints_but_for(422) == []


async def test_related_groups_lead_to_a_promotion_that_is_filled_in(
    browser: Browser, stack: Stack, customers: Customers
) -> None:
    del customers
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/insights")
        section = page.locator("#cross-sell")
        await section.get_by_label("Product group").select_option(GROUP)
        row = section.locator("tbody tr").filter(has_text=RELATED)
        await expect(section.locator("tbody tr")).to_have_count(1, timeout=WITHIN_MS)
        await expect(row.locator("td").first).to_have_text(GROUP, timeout=WITHIN_MS)
        await expect(row).to_contain_text("100%")
        await row.get_by_role("link", name="Make a promotion").click()
        await expect(page.locator('[data-field="name"]')).to_have_value(
            f"{RELATED} with {GROUP}", timeout=WITHIN_MS
        )
        await expect(page.locator(".said")).to_contain_text(RELATED, timeout=WITHIN_MS)
    assert visitor.complaints == []


async def test_campaigns_are_given_segments_by_name(browser: Browser, stack: Stack) -> None:
    # Drafts are kept for each user.
    async with visiting(browser, stack, WRITER, login=new_id("u")) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/campaigns/new")
        await page.get_by_role("combobox", name="Segments").fill("first-time")
        option = page.get_by_role("option", name=re.compile("Rare or first-time"))
        await option.click(timeout=WITHIN_MS)
        await expect(page.locator(".chip").filter(has_text="rare-promo-users")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
@pytest.mark.parametrize(
    "path",
    [
        "/segments",
        "/segment",
        "/segment?segment_id=rare-promo-users",
        "/segment?segment_id=rare-promo-users&tab=days",
        "/insights",
    ],
)
async def test_the_pages_are_for_everybody(
    browser: Browser, stack: Stack, customers: Customers, path: str, width: int, scheme: Scheme
) -> None:
    del customers
    locale = "uk-UA" if width < 400 else "en-GB"
    async with visiting(
        browser, stack, READER, width=width, scheme=scheme, locale=locale
    ) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}{path}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=WITHIN_MS)
        await expect(page.locator(".skeleton, [aria-busy=true]")).to_have_count(
            0, timeout=WITHIN_MS
        )
        assert await violations(page) == []
        over = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0
    assert visitor.complaints == []
