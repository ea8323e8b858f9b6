"""What campaigns are worth, in a browser: uplift with its interval, customers, categories, what is left of caps."""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from shared import clock
from shared.events.outcome import Receipt
from shared.events.promotion import LimitRule
from tests.e2e.conftest import Analytics
from tests.e2e.events import Publisher, Shop, receipt
from tests.e2e.everybody import obstacles
from tests.e2e.viewer import opened
from tests.e2e.visitor import WITHIN_MS, visiting

_EACH = 120


@dataclass(frozen=True)
class Tried:
    """A campaign that half of the customers are held back from, and a cap of 500 redemptions."""

    campaign: str
    name: str
    code: str


def _bought(shop: Shop, tried: Tried, n: int, *, held_back: bool) -> Receipt:
    """A customer's receipt: about 60.00 with a code, about 20.00 of those who are held back."""
    total = (20_00 if held_back else 60_00) + n % 7 * 100
    uses = () if held_back else ((tried.campaign, "ten", 500),)
    made = receipt(shop, clock.now(), uses, total=total)
    lines = tuple(line.model_copy(update={"group": "Cheese"}) for line in made.lines)
    uses_of_code = tuple(
        one.model_copy(update={"emission_id": tried.code}) for one in made.redemptions
    )
    return made.model_copy(
        update={
            "customer_id": f"{tried.campaign}-{held_back}-{n}",
            "exposed": (tried.campaign,),
            "held_back": (tried.campaign,) if held_back else (),
            "lines": lines,
            "redemptions": uses_of_code,
        }
    )


@pytest.fixture(scope="module")
async def tried(publisher: Publisher) -> Tried:
    mark = secrets.token_hex(3)
    made = Tried(f"tried-{mark}", f"Tried {mark}", f"TRY-{mark}")
    shop = Shop(f"worth-{mark}", f"Worth {mark}", f"Region {mark}")
    now = clock.now()
    await publisher.shops(shop)
    await publisher.campaign(
        made.campaign,
        made.name,
        {"ten": "10% off"},
        starts_at=now - timedelta(days=2),
        ends_at=now + timedelta(days=60),
        control_group=5_000,
        limits=(LimitRule(redemptions=500),),
    )
    await publisher.outcomes(
        *[
            _bought(shop, made, n, held_back=held_back)
            for n in range(_EACH)
            for held_back in (True, False)
        ]
    )
    return made


async def test_what_is_left_of_a_cap_is_shown_with_when_it_will_be_used_up(
    browser: Browser, analytics: Analytics, tried: Tried
) -> None:
    async with opened(browser, analytics, f"campaign_id={tried.campaign}&currency=EUR") as watched:
        await watched.shows("activations", str(_EACH))
        cap = watched.page.locator("#caps li, [data-panel=caps] .cap")
        await watched.page.reload()
        await expect(cap).to_have_count(1, timeout=WITHIN_MS)
        await expect(cap).to_contain_text("380 of 500 left")
        await expect(cap).to_contain_text(re.compile("a day|too little data"))
        await expect(cap.get_by_role("img", name="24% used")).to_be_visible()
    assert watched.complaints == []


async def test_uplift_customers_and_categories_of_a_campaign_are_shown(
    browser: Browser, analytics: Analytics, tried: Tried
) -> None:
    async with opened(browser, analytics, f"campaign_id={tried.campaign}&currency=EUR") as watched:
        await watched.shows("activations", str(_EACH))
    address = f"{analytics.url}/effectiveness?campaign_id={tried.campaign}&currency=EUR"
    async with visiting(browser, analytics.stack, ["statistics:read"]) as visitor:
        page = visitor.page
        await page.goto(address)
        card = page.locator(f'.worth[data-campaign="{tried.campaign}"]')
        await expect(card).to_contain_text(f"{_EACH} receipts", timeout=WITHIN_MS)
        await expect(card).to_contain_text("€600.00")
        drawn = page.get_by_role("img", name=re.compile(f"^{tried.name}: .* more revenue because"))
        await expect(drawn).to_have_attribute("data-proven", "true")
        await expect(page.locator("#suggestion")).to_contain_text("fewer than two")
        reached = page.locator("#reach li").filter(has_text=tried.name).locator(".bar-value")
        await expect(reached).to_have_text(re.compile("^1[12][0-9]$"), timeout=WITHIN_MS)
        heat = page.locator("#heat")
        await expect(heat.get_by_role("columnheader", name=tried.code)).to_be_visible()
        await expect(heat.get_by_role("rowheader", name="Cheese")).to_be_visible()
        await expect(page.get_by_text("No costs are known")).to_be_visible()
        for link in await page.get_by_role("link", name="as CSV").all():
            answer = await page.request.get(str(await link.get_attribute("href")))
            assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert visitor.complaints == []


async def test_what_there_is_too_little_data_for_is_said(
    browser: Browser, analytics: Analytics, publisher: Publisher
) -> None:
    mark = secrets.token_hex(3)
    few = Tried(f"few-{mark}", f"Few {mark}", f"FEW-{mark}")
    shop = Shop(f"few-{mark}", f"Few {mark}", f"Region {mark}")
    await publisher.shops(shop)
    now = clock.now()
    times = {"starts_at": now - timedelta(days=2), "ends_at": now + timedelta(days=9)}
    await publisher.campaign(
        few.campaign, few.name, {"ten": "10% off"}, control_group=1_000, **times
    )
    await publisher.outcomes(_bought(shop, few, 1, held_back=False))
    async with opened(browser, analytics, f"campaign_id={few.campaign}&currency=EUR") as watched:
        await watched.shows("activations", "1")
        await watched.page.goto(
            f"{analytics.url}/effectiveness?campaign_id={few.campaign}&currency=EUR"
        )
        uplift = watched.page.locator("#uplift")
        await expect(uplift).to_contain_text("Too little data: 1 and 0 customers, 100 of each")


@pytest.mark.parametrize("path", ["feed", "effectiveness"])
async def test_a_full_page_is_for_everybody(
    browser: Browser, analytics: Analytics, tried: Tried, path: str
) -> None:
    async with visiting(browser, analytics.stack, ["statistics:read"]) as visitor:
        page = visitor.page
        await page.goto(f"{analytics.url}/{path}?campaign_id={tried.campaign}&currency=EUR")
        await expect(page.get_by_text(tried.name).last).to_be_visible(timeout=WITHIN_MS)
        assert await obstacles(page) == []
