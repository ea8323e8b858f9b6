"""A picture of every page, well filled: for the documentation when asked, and to see that each is drawn."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.stack import Stack
from shared.web.auth import SCOPES
from tests.e2e import chain as chains
from tests.e2e.authoring import field, pick
from tests.e2e.chain import Chain
from tests.e2e.conftest import Analytics
from tests.e2e.events import Publisher
from tests.e2e.everybody import settled
from tests.e2e.visitor import WITHIN_MS, Scheme, visiting
from tests.integration.customers import database
from tests.waiting import until

_IMAGES = Path(__file__).parents[2] / "docs" / "images"
_LEAST_BYTES = 15_000


@dataclass(frozen=True)
class Picture:
    """What is taken: a page of a service in a window of some size and colour, in a language."""

    name: str
    service: str
    path: str
    width: int = 1440
    scheme: Scheme = "light"
    locale: str = "en-GB"
    full: bool = False


PICTURES = (
    Picture("dashboard", "analytics", "/dashboard?period=90d", full=True),
    Picture("dashboard-dark", "analytics", "/dashboard?period=30d", scheme="dark"),
    Picture("dashboard-phone", "analytics", "/dashboard?period=30d", width=360),
    Picture(
        "compare", "analytics", "/dashboard?period=90d&campaign_id={campaign_id}&compare=snacks"
    ),
    Picture("activations", "analytics", "/feed"),
    Picture("effectiveness", "analytics", "/effectiveness", full=True),
    Picture("customers", "customers", "/customers"),
    Picture("customer", "customers", "/customer?customer_id={customer_id}", full=True),
    Picture("segments", "customers", "/segments"),
    Picture("segment", "customers", "/segment?segment_id=frequent-promo-users", full=True),
    Picture("insights", "customers", "/insights", full=True),
    Picture("offers", "customers", "/offers"),
    Picture("limits", "evaluator", "/certificate?limit=hello/hello-10/code"),
    Picture("campaigns", "emission", "/campaigns"),
    Picture("campaign", "emission", "/campaigns/{campaign_id}"),
    Picture("campaign-try", "emission", "/campaigns/{campaign_id}?tab=try"),
    Picture("campaign-backtest", "emission", "/campaigns/{campaign_id}?tab=backtest"),
    Picture("campaign-history", "emission", "/campaigns/{campaign_id}?tab=history"),
    Picture("instruments", "emission", "/instruments"),
    Picture("instrument", "emission", "/instruments/cheese-5"),
    Picture("instrument-uk", "emission", "/instruments/{instrument_id}", locale="uk-UA"),
    Picture("emissions", "emission", "/emissions"),
    Picture("emission", "emission", "/emissions/{personal_id}"),
    Picture("products", "emission", "/products"),
    Picture("stores", "emission", "/stores"),
    Picture("users", "emission", "/users"),
    Picture("keys", "emission", "/keys"),
    Picture("changes", "emission", "/changes"),
    Picture("account", "emission", "/account"),
    Picture("sign-in", "emission", "/sign-in"),
)


@pytest.fixture(scope="module")
async def chain(stack: Stack, analytics: Analytics, publisher: Publisher) -> Chain:
    """The chain, counted, and its customers looked at."""
    chain = await chains.found(stack, publisher)
    async with database(stack) as customers:

        async def looked_at() -> bool:
            known = await customers.fetchval("select count(*) from profiles where version > 0")
            waiting = "select exists (select from attention where due_at <= now())"
            return known > chains.CUSTOMERS // 2 and not await customers.fetchval(waiting)

        await until(looked_at, what="the chain's customers are looked at", within_s=60)
    return chain


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where pictures go: into docs only when asked (``TILLSTREAM_SCREENSHOT=1``)."""
    asked = os.environ.get("TILLSTREAM_SCREENSHOT") == "1"
    if asked:
        _IMAGES.mkdir(exist_ok=True)
    return _IMAGES if asked else tmp_path


async def _counted(page: Page) -> None:
    """Wait until the figures of a dashboard no longer rise: all has been counted."""
    figure = page.locator('[data-figure="receipts"]')
    least = chains.RECEIPTS // 2

    async def complete() -> bool:
        text = (await figure.inner_text()).replace(",", "")
        return text.isdigit() and int(text) >= least

    await until(complete, what="most receipts on the page", within_s=60)


async def _tried(page: Page) -> None:
    """Have a cart decided that gets one benefit and nearly another."""
    await field(page, "Promo codes").fill("hello")
    await pick(page, "Product", "truffles", "Lvivske truffles")
    await field(page, "Price").fill("420.00")
    await page.get_by_role("button", name="Decide").click()
    await expect(page.get_by_role("region", name="Decision")).to_contain_text("42.00")
    await page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
async def test_a_well_filled_page(
    browser: Browser, stack: Stack, chain: Chain, folder: Path, picture: Picture
) -> None:
    scopes = () if picture.name == "sign-in" else SCOPES
    path = picture.path.format(**vars(chain))
    async with visiting(
        browser, stack, scopes, width=picture.width, scheme=picture.scheme, locale=picture.locale
    ) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url(picture.service)}{path}")
        await settled(page)
        if picture.name.startswith("instrument") and "/instruments/" in path:
            await expect(page.locator(".sentence .said")).to_be_visible(timeout=WITHIN_MS)
        if picture.name == "campaign-try":
            await _tried(page)
        if picture.name == "dashboard":
            await _counted(page)
        if picture.service != "emission":
            await page.wait_for_timeout(900)  # bars still grow to their new lengths
        taken = await page.screenshot(
            path=folder / f"{picture.name}.png", full_page=picture.full, animations="disabled"
        )
        assert len(taken) > _LEAST_BYTES
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        asked = picture.name == "sign-in"  # whether there is a session still: there is none
        assert (visitor.complaints_but_for(401) if asked else visitor.complaints) == []


async def test_codes_on_paper(browser: Browser, stack: Stack, chain: Chain, folder: Path) -> None:
    async with visiting(browser, stack, SCOPES, width=900) as visitor:
        page = visitor.page
        sheet = f"/v1/emissions/{chain.personal_id}/codes/sheet?count=24"
        await page.goto(f"{stack.url('emission')}{sheet}")
        await expect(page.locator("svg").first).to_be_visible(timeout=WITHIN_MS)
        await page.screenshot(path=folder / "codes-on-paper.png")
        assert visitor.complaints == []
