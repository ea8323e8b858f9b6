"""Alerts of abuse in a browser: they come by themselves, are closed with a word, and rules are changed."""

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.stack import Stack
from shared.web.auth import Scope
from tests.e2e.everybody import obstacles
from tests.e2e.visitor import WITHIN_MS, visiting
from tests.integration import shop
from tests.integration.customers import new_customer
from tests.integration.test_fraud import guess

pytestmark = pytest.mark.slow

WRITER: tuple[Scope, ...] = ("customers:read", "customers:write")
READER: tuple[Scope, ...] = ("customers:read",)


async def opened(page: Page, stack: Stack, customer_id: str) -> None:
    """Open the alert about a customer, which comes without anybody's doing."""
    row = page.get_by_role("row").filter(has_text=customer_id)
    await row.get_by_role("link").click(timeout=WITHIN_MS)


async def test_an_alert_comes_by_itself_and_is_dismissed_with_a_word(
    browser: Browser, stack: Stack
) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/alerts")
        await expect(page.get_by_role("tab", name="Rules")).to_be_visible()
        await guess(stack, store_id, customer_id, carts=4)
        await opened(page, stack, customer_id)
        panel = page.get_by_role("region", name="Code guessing")
        await expect(panel).to_contain_text("unknown codes")
        await expect(panel).to_contain_text(f"r-{customer_id}-0")
        await panel.get_by_role("button", name="Withhold promotions").click()
        await expect(panel.get_by_role("button", name="Lift the block")).to_be_visible()
        await panel.get_by_label("Note").fill("A misprinted leaflet")
        await panel.get_by_role("button", name="Dismiss").click()
        await expect(panel.get_by_role("button", name="Withhold promotions")).to_be_visible()
        await expect(panel).to_contain_text("A misprinted leaflet")
        await expect(panel).to_contain_text("user:marketer")
        row = page.get_by_role("row").filter(has_text=customer_id)
        await expect(row.get_by_role("link")).to_have_count(0)
    assert visitor.complaints == []


async def test_a_rule_is_changed_and_put_back(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/alerts?tab=rules")
        rule = page.get_by_role("region", name="Quick returns")
        await expect(rule).to_contain_text("from 4 on")
        for number in ("5", "4"):
            await rule.get_by_role("button", name="Change").click()
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label("cashier: returns within an hour").fill(number)
            await dialog.get_by_role("button", name="Save").click()
            await expect(rule).to_contain_text(f"from {number} on")
        await expect(rule).to_contain_text("Changed by user:marketer")
    assert visitor.complaints == []


async def test_who_may_only_read_can_do_nothing(browser: Browser, stack: Stack) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    await guess(stack, store_id, customer_id, carts=4)
    async with visiting(browser, stack, READER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/alerts")
        await opened(page, stack, customer_id)
        await expect(page.get_by_role("heading", name="Code guessing")).to_be_visible()
        await expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
        await expect(page.get_by_role("button", name="Withhold promotions")).to_have_count(0)


@pytest.mark.parametrize("tab", ["alerts", "rules"])
async def test_everybody_can_use_it(browser: Browser, stack: Stack, tab: str) -> None:
    [store_id] = await shop.open_store(stack)
    customer_id = new_customer()
    await guess(stack, store_id, customer_id, carts=4)
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/alerts?tab={tab}")
        if tab == "alerts":
            await opened(page, stack, customer_id)
            await expect(page.get_by_role("heading", name="Code guessing")).to_be_visible()
        else:
            await expect(page.get_by_role("region", name="Too fast")).to_be_visible()
        assert await obstacles(page) == []
