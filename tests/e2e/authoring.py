"""What tests of authoring do in the browser, and what they find there."""

import re
import secrets
from contextlib import AbstractAsyncContextManager

from playwright.async_api import Browser, Locator, Page, expect

from deploy.local.stack import Stack
from shared.web.auth import Scope
from tests.e2e.visitor import WITHIN_MS, Visitor, visiting
from tests.integration.emission import a_store, author, ok

MARKETER: tuple[Scope, ...] = (
    "campaigns:read",
    "campaigns:write",
    "codes:export",
    "quotes:write",
    "statistics:read",
    "ledger:read",
)


def marketing(browser: Browser, stack: Stack) -> AbstractAsyncContextManager[Visitor]:
    """A marketer whom no other test is: nobody else's drafts come back."""
    return visiting(browser, stack, MARKETER, login=f"marketer-{secrets.token_hex(4)}")


def complaints(visitor: Visitor) -> list[str]:
    """What the browser complained of, but for answers that say which fields are wrong: these are shown."""
    return visitor.complaints_but_for(422)


def field(page: Page, label: str) -> Locator:
    """A field that is typed into, by its label."""
    return page.get_by_role("textbox", name=label, exact=True)


async def pick(page: Page, label: str, text: str, option: str) -> None:
    """Search in a field with suggestions, and choose one."""
    await page.get_by_role("combobox", name=label, exact=True).fill(text)
    await page.get_by_role("option", name=re.compile(re.escape(option))).first.click()


async def add_condition(page: Page, title: str) -> None:
    """Add a condition to the instrument."""
    await page.get_by_role("button", name="Add a condition").last.click()
    await page.get_by_role("dialog").get_by_role("button", name=re.compile(f"^{title}")).click()


async def post_word(page: Page, stack: Stack, word: str) -> str:
    """A mass emission of the word, written and posted; its id."""
    await page.goto(f"{stack.url('emission')}/emissions")
    await page.get_by_role("link", name="New promo codes").click()
    await field(page, "Name").fill(f"Word {word}")
    await field(page, "Word").fill(word)
    await page.get_by_role("button", name="Save").click()
    await page.wait_for_url(re.compile(f"/emissions/word-{word.lower()}$"))
    await page.get_by_role("button", name="Post").click()
    await page.get_by_role("dialog").get_by_role("button", name="Post").click()
    await expect(page.locator(".title-bar .badge")).to_have_text("posted", timeout=WITHIN_MS)
    return f"word-{word.lower()}"


async def build_instrument(page: Page, stack: Stack, word: str) -> None:
    """10% off receipts from 300.00 with the posted word, for the first 1000."""
    await page.goto(f"{stack.url('emission')}/instruments")
    await page.get_by_role("link", name="New instrument").click()
    await field(page, "Name").fill(f"{word}: 10% off from 300.00")
    await add_condition(page, "Receipt total")
    await field(page, "Value").fill("300.00")
    await add_condition(page, "Promo code")
    await pick(page, "Promo codes", word, word)
    await field(page, "Only the first").fill("1000")
    await field(page, "Percent off").fill("10")
    said = page.locator(".sentence .said")
    await expect(said).to_contain_text("10%")
    await expect(said).to_contain_text("300.00")
    await expect(said).to_contain_text(word)
    await page.get_by_role("button", name="Save").click()
    await page.wait_for_url(re.compile("/instruments/welcome"))


async def start_campaign(page: Page, stack: Stack, word: str, store_name: str) -> str:
    """A running campaign of the instrument whose name begins with the word, in the store, with a budget of 5000.00; its id."""
    await page.goto(f"{stack.url('emission')}/campaigns")
    await page.get_by_role("link", name="New campaign").click()
    await field(page, "Name").fill(f"Campaign {word}")
    await pick(page, "Add an instrument", word, f"{word}: ")
    await pick(page, "Stores", store_name, store_name)
    await field(page, "Budget of discounts").fill("5000.00")
    await page.get_by_role("button", name="Save").click()
    await page.wait_for_url(re.compile("/campaigns/campaign-"))
    await page.get_by_role("button", name="Start").click()
    await page.get_by_role("dialog").get_by_role("button", name="Start").click()
    await expect(page.locator(".title-bar .badge")).to_have_text("running")
    await expect(page.get_by_role("link", name="Live figures")).to_be_visible()
    return page.url.rsplit("/", 1)[1]


async def a_shop(stack: Stack) -> tuple[str, str]:
    """The id and name of a new store in UAH."""
    store = a_store(name=f"Shop {secrets.token_hex(3)}", currency="UAH")
    async with author(stack) as client:
        ok(await client.put("/v1/stores", json={"stores": [store]}))
    return store["store_id"], store["name"]


def unique(text: str) -> str:
    """A name that no other test has."""
    return f"{text} {secrets.token_hex(3)}"
