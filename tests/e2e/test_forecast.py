"""The next purchase in a browser: trained, compared, and who is expected."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from playwright.async_api import Browser, expect

from deploy.local.stack import Stack
from services.customers.forecast.models import FEWEST_CUSTOMERS
from shared import clock, database
from shared.web.auth import Scope
from tests.e2e.everybody import obstacles
from tests.e2e.visitor import WITHIN_MS, visiting
from tests.integration.emission import new_id
from tests.integration.segments import Customers
from tests.unit.customers.forecast import shoppers
from tests.unit.customers.segments.customers import Trip

pytestmark = pytest.mark.slow
DAYS = 126
TRAINED_MS = 180_000
WRITER: tuple[Scope, ...] = ("customers:read", "customers:write")
READER: tuple[Scope, ...] = ("customers:read",)


@pytest.fixture(scope="module")
async def regulars(stack: Stack) -> AsyncIterator[str]:
    """Enough customers to compare models by; the id of one who buys every week. They are gone afterwards."""
    mark = new_id("f")
    async with await database.pool(stack.database("customers")) as pool:
        customers = Customers(pool, clock.now())
        for row, trips in enumerate(shoppers(FEWEST_CUSTOMERS + 20, DAYS, seed=8).trips):
            bought = [Trip(days=DAYS - day - 0.5) for day in np.flatnonzero(trips)]
            await customers.put(f"{mark}-{row}", *(bought or [Trip(days=DAYS - 1)]))
        weekly = f"{mark}-weekly"
        await customers.put(weekly, *(Trip(days=7 * n + 0.5) for n in range(18)))
        yield weekly
        for table in ("profiles", "attention", "forecasts"):
            await pool.execute(
                f"delete from {table} where starts_with(customer_id, $1)",  # noqa: S608 - our own names
                f"{mark}-",
            )


async def test_models_are_trained_compared_and_say_who_is_expected(
    browser: Browser, stack: Stack, regulars: str
) -> None:
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/insights")
        section = page.locator("#next-purchase")
        train = section.get_by_role("button", name="Train now")
        await expect(train).to_be_enabled(timeout=TRAINED_MS)
        await train.click()
        await expect(section.locator("[data-training]")).to_be_visible(timeout=WITHIN_MS)
        await expect(section.locator("[data-training]")).to_have_count(0, timeout=TRAINED_MS)
        models = section.get_by_role("region", name="Models")
        for name in ("Running mean", "BG/NBD", "Boosted trees"):
            await expect(models.get_by_text(name, exact=True)).to_be_visible()
        await expect(models.get_by_text("in use")).to_have_count(1)
        row = models.locator("tr", has_text="in use")
        used = (await row.locator("b").inner_text()).strip()
        await expect(page.locator("#model-said")).to_contain_text(f"In use: {used}.")
        await expect(section.get_by_role("img", name="Mean error in trips")).to_contain_text("ago")
        bins = section.get_by_role("region", name="Foretold and came").locator("tbody tr")
        assert await bins.count() == await section.locator("svg.square circle").count() > 1

        soon = page.locator("#expected")
        await soon.get_by_label("In the next").select_option("14")
        await expect(soon.get_by_role("img", name="in 14 days")).to_be_visible(timeout=WITHIN_MS)
        listed = soon.get_by_role("region", name="Who is expected")
        wanted = listed.get_by_role("link", name=regulars, exact=True)
        more = soon.get_by_role("button", name="Next")
        while not await wanted.count():
            first = await listed.get_by_role("link").first.inner_text()
            await more.click()
            await expect(listed.get_by_role("link").first).not_to_have_text(
                first, timeout=WITHIN_MS
            )
        row = listed.locator("tr").filter(has=page.get_by_role("link", name=regulars, exact=True))
        await expect(row).to_contain_text("%")
        await wanted.click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(
            regulars, timeout=WITHIN_MS
        )
    assert visitor.complaints == []


async def test_whoever_only_reads_trains_nothing(
    browser: Browser, stack: Stack, regulars: str
) -> None:
    del regulars
    async with visiting(browser, stack, READER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/insights")
        await expect(page.locator("#model-said")).to_be_visible(timeout=WITHIN_MS)
        await expect(page.get_by_role("button", name="Train now")).to_have_count(0)
    assert visitor.complaints == []


async def test_everybody_can_use_it(browser: Browser, stack: Stack, regulars: str) -> None:
    del regulars
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/insights")
        await expect(page.locator("#expected svg")).to_be_visible(timeout=WITHIN_MS)
        assert await obstacles(page) == []
    assert visitor.complaints == []
