"""A well filled dashboard, as in the picture of the documentation."""

import random
from datetime import timedelta
from pathlib import Path
from typing import get_args

from playwright.async_api import Browser, expect

from shared import clock
from shared.events.outcome import Reason, Receipt
from shared.events.values import Device
from tests.e2e.conftest import Analytics
from tests.e2e.events import Outcome, Publisher, Shop, decision, receipt, returned
from tests.e2e.viewer import opened
from tests.waiting import until


async def test_a_well_filled_page(
    browser: Browser, analytics: Analytics, publisher: Publisher, screenshot_path: Path
) -> None:
    shops = [
        Shop(f"shop-{number}", name, f"{region} (assigned)")
        for number, (name, region) in enumerate(_SHOPS, 1)
    ]
    await publisher.shops(*shops)
    for campaign_id, (name, instruments) in _CAMPAIGNS.items():
        await publisher.campaign(campaign_id, name, instruments)
    events = _seventy_days(shops, random.Random(7))  # noqa: S311 - a picture is no secret
    await publisher.outcomes(*events)
    receipts = sum(isinstance(event, Receipt) for event in events)
    async with opened(browser, analytics) as watched:
        page = watched.page

        async def complete() -> bool:
            text = await page.locator("#card-receipts [data-value]").inner_text()
            return int(text.replace(",", "")) >= receipts

        await until(complete, what="all receipts on the page")
        await expect(page.locator("#instruments tbody tr").nth(7)).to_be_visible()
        # The bars still grow to their new lengths.
        await page.wait_for_timeout(800)
        picture = await page.screenshot(path=screenshot_path, full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert watched.complaints == []
    assert len(picture) > 50_000


_SHOPS = (
    ("Vienna Naschmarkt", "East"),
    ("Vienna Praterstern", "East"),
    ("St. Pölten", "East"),
    ("Eisenstadt", "East"),
    ("Graz Jakomini", "South"),
    ("Klagenfurt", "South"),
    ("Villach", "South"),
    ("Linz Hauptplatz", "North"),
    ("Wels", "North"),
    ("Salzburg Altstadt", "West"),
    ("Innsbruck", "West"),
    ("Bregenz", "West"),
    ("Web shop", "Online"),
)
_CAMPAIGNS = {
    "welcome": ("Welcome", {"welcome-10": "10% off receipts from 300"}),
    "snacks": (
        "Snack weeks",
        {
            "chips-10": "CHIPS10: 10% off chips",
            "bounty-10": "BOUNTY10: 10% off from 1 kg",
            "cola": "Second cola at half price",
        },
    ),
    "opening": ("Opening day, Graz", {"opening-12": "First 1000 buyers: 12% off"}),
    "regulars": (
        "For regulars",
        {"bonuses": "50 bonuses from 60", "mug": "A mug from 120", "cheese": "5% off cheese"},
    ),
}
_REASONS: tuple[Reason, ...] = get_args(Reason)
_WEB_DEVICES: tuple[Device, ...] = ("desktop", "mobile", "tablet", "app")


def _seventy_days(shops: list[Shop], chance: random.Random) -> list[Outcome]:
    """Checkouts, receipts and a few returns of seventy days, quiet on Sundays, busier of late."""
    now = clock.now()
    weights = [chance.uniform(0.5, 2) for _ in shops]
    offers = [(key, i) for key, (_, instruments) in _CAMPAIGNS.items() for i in instruments]
    rates = {offer: chance.uniform(0.04, 0.3) for offer in offers}
    reasons = {offer: chance.sample(_REASONS, 3) for offer in offers}
    events: list[Outcome] = []
    for _ in range(3_000):
        at = now - timedelta(days=70 * chance.random() ** 1.3, hours=chance.uniform(0, 10))
        if at.weekday() == 6 and chance.random() < 0.7:
            continue
        (shop,) = chance.choices(shops, weights)
        device: Device = chance.choice(_WEB_DEVICES) if shop.name == "Web shop" else "till"
        total = int(chance.lognormvariate(8.4, 0.6)) + 500
        uses, refusals = [], []
        for offer in offers:
            if chance.random() < rates[offer]:
                uses.append((*offer, total * chance.randint(1, 5) // 100))
            else:
                (reason,) = chance.choices(reasons[offer], (6, 3, 1))
                refusals.append((*offer, reason))
        events.append(decision(shop, at, uses, refusals, total=total, device=device))
        if chance.random() < 0.95:
            sold = receipt(shop, at, uses, total=total, device=device, bonuses=len(uses))
            events.append(sold)
            if chance.random() < 0.03:
                events.append(returned(sold, min(now, at + timedelta(days=2))))
    return events
