"""Exploring the dashboard: from a total to a store, two campaigns beside each other, a view that is shared."""

import json
import re
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.async_api import Browser, Route, expect

from shared import clock
from shared.events.values import Currency
from tests.e2e.conftest import Analytics
from tests.e2e.events import Publisher, Shop, decision, receipt
from tests.e2e.everybody import violations
from tests.e2e.viewer import opened
from tests.e2e.visitor import WITHIN_MS, Scheme
from tests.waiting import until

_SQUARE = {
    "type": "Polygon",
    "coordinates": [[[24, 49], [26, 49], [26, 50], [24, 50], [24, 49]]],
}
_SHIFTS = """() => {
  Object.assign(window, { shifted: 0, moved: [] });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      window.shifted += entry.value;
      window.moved = entry.sources.map(({ node }) => node?.outerHTML ?? node?.textContent);
    }
  }).observe({ type: "layout-shift" });
}"""


@dataclass(frozen=True)
class World:
    """Two stores and two campaigns that no other test has, with three activations and one."""

    region: str
    main: Shop
    station: Shop
    first: str
    second: str

    @property
    def query(self) -> str:
        """The part of an address that shows only this world."""
        return f"region={quote(self.region)}"


@pytest.fixture
async def world(publisher: Publisher) -> World:
    mark = secrets.token_hex(3)
    region = f"Region {mark}"
    made = World(
        region,
        Shop(f"main-{mark}", f"Main street {mark}", region),
        Shop(f"station-{mark}", f"Station {mark}", region),
        f"first-{mark}",
        f"second-{mark}",
    )
    await publisher.shops(made.main, made.station)
    for campaign in (made.first, made.second):
        await publisher.campaign(campaign, campaign.title(), {"ten": "10% off"})
    now = clock.now()
    for shop, campaign in (
        (made.main, made.first),
        (made.main, made.first),
        (made.station, made.first),
        (made.main, made.second),
    ):
        use = (campaign, "ten", 500)
        await publisher.outcomes(
            decision(shop, now, [use], total=5_000), receipt(shop, now, [use], total=5_000)
        )
    return made


async def test_two_browsers_see_the_same_number(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    async with (
        opened(browser, analytics, world.query) as one,
        opened(browser, analytics, world.query, scheme="dark") as other,
    ):
        for watched in (one, other):
            await watched.shows("receipts", "4")
        await publisher.outcomes(receipt(world.main, clock.now(), total=1_000))
        for watched in (one, other):
            await watched.shows("receipts", "5")


async def test_a_click_leads_from_all_stores_to_one_and_the_address_can_be_shared(
    browser: Browser, analytics: Analytics, world: World
) -> None:
    async with opened(browser, analytics, world.query) as watched:
        page = watched.page
        bar = page.locator("#stores button", has_text="Station")
        await bar.click()
        await watched.shows("activations", "1")
        await expect(bar).to_have_attribute("aria-pressed", "true")
        assert parse_qs(urlsplit(page.url).query)["store_id"] == [world.station.store_id]
        await page.go_back()
        await watched.shows("activations", "4")
        await page.go_forward()
        await watched.shows("activations", "1")
        shared = urlsplit(page.url).query
    async with opened(browser, analytics, shared) as other:
        await other.shows("activations", "1")
        store = other.page.get_by_role("combobox", name="Store")
        await expect(store).to_have_value(world.station.store_id)


async def test_tables_are_sorted_and_pressed_by_keyboard(
    browser: Browser, analytics: Analytics, world: World
) -> None:
    async with opened(browser, analytics, world.query) as watched:
        page = watched.page
        await watched.shows("activations", "4")
        await page.get_by_role("button", name="Activations by store as a table").press("Enter")
        panel = page.locator("[data-panel=stores]")
        await panel.get_by_role("button", name="Activations", exact=True).press("Enter")
        rows = panel.locator("tbody tr")
        await expect(rows.first).to_contain_text("Main street")
        await panel.get_by_role("button", name="Activations", exact=True).press("Enter")
        await expect(rows.first).to_contain_text("Station")
        await rows.first.get_by_role("button").press("Enter")
        await watched.shows("activations", "1")


async def test_a_table_is_downloaded_as_csv_with_what_is_shown(
    browser: Browser, analytics: Analytics, world: World
) -> None:
    async with opened(browser, analytics, world.query) as watched:
        await watched.shows("activations", "4")
        async with watched.page.expect_download() as waiting:
            await watched.page.get_by_role("link", name="Download Activations by store").click()
        path = await (await waiting.value).path()
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 3
    assert world.main.name in lines[1]
    assert world.station.name in lines[2]


async def test_every_table_can_be_downloaded(
    browser: Browser, analytics: Analytics, world: World
) -> None:
    async with opened(browser, analytics, world.query) as watched:
        page = watched.page
        links = await page.get_by_role("link", name="as CSV").all()
        assert len(links) == 9
        for link in links:
            answer = await page.request.get(str(await link.get_attribute("href")))
            assert (answer.status, answer.headers["content-type"]) == (
                200,
                "text/csv; charset=utf-8",
            )


async def test_two_campaigns_are_compared(
    browser: Browser, analytics: Analytics, world: World
) -> None:
    query = f"{world.query}&campaign_id={world.first}"
    async with opened(browser, analytics, query) as watched:
        page = watched.page
        await watched.shows("activations", "3")
        await page.get_by_role("combobox", name="Compare with").select_option(value=world.second)
        row = page.locator("#compared [data-row=activations] td")
        await expect(row).to_have_text(["Activations", "3", "1", "−66.7%"], timeout=WITHIN_MS)
        series = await watched.series("comparison")
        assert {name: sum(values) for name, values in series.items()} == {
            world.first.title(): 3,
            world.second.title(): 1,
        }
        # The chart is a table, too.
        await page.get_by_role("button", name=re.compile("over time as a table")).click()
        days = page.get_by_role("table", name=re.compile("over time")).locator("tbody tr")
        assert (
            sum([int(await day.locator("td").nth(1).inner_text()) for day in await days.all()]) == 3
        )
        await page.reload()
        await expect(row).to_have_text(["Activations", "3", "1", "−66.7%"], timeout=WITHIN_MS)


async def test_a_day_of_the_chart_becomes_the_time_that_is_asked(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    before = clock.now() - timedelta(days=3)
    await publisher.outcomes(receipt(world.main, before, total=1_000))
    async with opened(browser, analytics, world.query) as watched:
        page = watched.page
        await watched.shows("receipts", "5")
        await page.get_by_role("button", name="Activity as a table").click()
        days = page.locator("[data-panel=activity-panel] tbody tr")
        await days.nth(-4).get_by_role("button").press("Enter")
        await watched.shows("receipts", "1")
        await expect(page.get_by_role("radio", name="From–to")).to_be_checked()
        await expect(page.get_by_label("From", exact=True)).not_to_have_value("")
        await page.reload()
        await watched.shows("receipts", "1")


async def test_nothing_shifts_while_numbers_change(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    async with opened(browser, analytics, world.query) as watched:
        page = watched.page
        await watched.shows("receipts", "4")
        await page.evaluate(_SHIFTS)
        for n in range(5, 10):
            use = (world.first, "ten", 123_456)
            await publisher.outcomes(receipt(world.main, clock.now(), [use], total=9_876_543))
            await watched.shows("receipts", str(n))
        assert await page.evaluate("[window.shifted, window.moved]") == [0, []]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_full_dashboard_is_for_everybody(
    browser: Browser, analytics: Analytics, world: World, scheme: Scheme
) -> None:
    query = f"{world.query}&campaign_id={world.first}&compare={world.second}"
    async with opened(browser, analytics, query, scheme=scheme) as watched:
        page = watched.page
        await watched.shows("activations", "3")
        await expect(page.locator("#comparison canvas")).to_be_visible()
        assert await violations(page) == []
        for button in await page.get_by_role("button", name="as a table").all():
            await button.click()
        await page.get_by_role("radio", name="From–to").check()
        assert await violations(page) == []
        await page.set_viewport_size({"width": 360, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_currencies_are_not_added_but_chosen(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    abroad = replace(world.station, currency=Currency("PLN"))
    await publisher.outcomes(receipt(abroad, clock.now(), total=7_000))
    async with opened(browser, analytics, world.query) as watched:
        await watched.shows("paid", "€180.00")
        chosen = watched.page.get_by_role("combobox", name="Currency")
        await expect(chosen).to_have_value("EUR")
        await chosen.select_option(value="PLN")
        await watched.shows("paid", re.compile("zł.?70.00"))
        await watched.page.reload()
        await expect(chosen).to_have_value("PLN")


async def test_an_operators_map_of_the_regions_is_drawn_instead_of_tiles(
    browser: Browser, analytics: Analytics, world: World
) -> None:
    features = [{"type": "Feature", "properties": {"name": world.region}, "geometry": _SQUARE}]

    async def answer(route: Route) -> None:
        await route.fulfill(body=json.dumps({"type": "FeatureCollection", "features": features}))

    async with opened(browser, analytics, world.query) as watched:
        page = watched.page
        await expect(page.locator(".tile-map li")).to_have_count(1)
        await page.route("**/v1/statistics/regions.geojson", answer)
        await page.reload()
        await expect(page.get_by_role("img", name="Activations by region")).to_be_visible()

        async def drawn() -> bool:
            shown: dict[str, Any] = dict(await watched.series("regions"))
            rows = [row for rows in shown.values() for row in rows]
            return [(row["name"], row.get("value")) for row in rows] == [(world.region, 4)]

        await until(drawn, what="the activations on the map")
    assert watched.complaints == []
