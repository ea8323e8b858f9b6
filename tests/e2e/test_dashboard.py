"""The dashboard in a real browser: figures and charts change while one looks at them."""

import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.async_api import Browser, Route, expect

from shared import clock
from tests.e2e.conftest import Analytics
from tests.e2e.events import Publisher, Shop, Use, decision, receipt, returned
from tests.e2e.viewer import opened
from tests.e2e.visitor import WITHIN_MS, visiting

_UNKNOWN_ZONE = """
const known = Intl.DateTimeFormat.prototype.resolvedOptions;
Intl.DateTimeFormat.prototype.resolvedOptions = function () {
  return { ...known.call(this), timeZone: "Etc/Unknown" };
};
"""


@dataclass(frozen=True)
class World:
    """Two stores in a region, and a campaign, that no other test has."""

    region: str
    first: Shop
    second: Shop
    campaign: str

    @property
    def use(self) -> Use:
        """10% off a receipt of 50.00."""
        return (self.campaign, "ten", 500)


@pytest.fixture
async def world(publisher: Publisher) -> World:
    mark = secrets.token_hex(3)
    region = f"Region {mark}"
    made = World(
        region,
        Shop(f"one-{mark}", "Main street", region),
        Shop(f"two-{mark}", "Station", region),
        f"welcome-{mark}",
    )
    await publisher.shops(made.first, made.second)
    await publisher.campaign(made.campaign, f"Welcome {mark}", {"ten": "10% off from 30"})
    return made


async def test_figures_and_charts_change_without_a_reload(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    now = clock.now()
    async with opened(browser, analytics, f"region={quote(world.region)}") as watched:
        page = watched.page
        await page.evaluate("window.notReloaded = true")
        nothing = page.locator("[data-panel=activity-panel] .nothing")
        await expect(nothing).to_contain_text("Clear the filters")
        await publisher.outcomes(
            decision(world.first, now, [world.use], total=5_000),
            decision(world.first, now, [world.use], total=5_000),
            decision(
                world.second,
                now,
                refusals=[(world.campaign, "ten", "limit_reached")],
                total=5_000,
                device="mobile",
            ),
            receipt(world.first, now, [world.use], total=5_000),
            receipt(world.first, now, [world.use], total=5_000),
            receipt(world.second, now, total=5_000, device="mobile"),
        )
        await watched.shows("receipts", "3")
        await watched.shows("paid", "€140.00")
        await watched.shows("average", "€46.67")
        await watched.shows("activations", "2")
        await watched.shows("discount", "€10.00")
        await expect(nothing).to_be_hidden()

        activity = await watched.series("activity")
        assert {name: sum(values) for name, values in activity.items()} == {
            "Activations": 2,
            "Discount given": 1_000,
            "Receipts": 3,
        }
        assert await watched.ranked("stores") == [("Main street", "2")]

        await publisher.outcomes(
            decision(world.second, now, [world.use], total=5_000, device="mobile"),
            receipt(world.second, now, [world.use], total=5_000, device="mobile"),
        )
        await watched.shows("activations", "3")
        for chart, rows in (
            ("stores", [("Main street", "2"), ("Station", "1")]),
            ("devices", [("Till", "2"), ("Mobile", "1")]),
            ("regions", [(world.region, "3")]),
            ("refusals", [("Limit reached", "1")]),
        ):
            assert await watched.ranked(chart) == rows

        row = page.locator(f'#instruments [data-campaign="{world.campaign}"]')
        await expect(row).to_contain_text("10% off from 30")
        cells = await row.locator("td").all_inner_texts()
        shown = [cell.split("\n")[0] for cell in cells]
        assert shown[1:4] == ["4", "3", "3"]
        assert shown[5:9] == ["€15.00", "€135.00", "0", "1"]
        assert "Limit reached 1" in cells[9]
        assert await page.evaluate("window.notReloaded")
    assert watched.hosts == {"127.0.0.1"}
    assert watched.complaints == []


async def test_returns_are_taken_off_and_shown_beside(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    now = clock.now()
    sold = [
        receipt(shop, now, [world.use], total=5_000, bonuses=7)
        for shop in (world.first, world.first, world.second)
    ]
    await publisher.outcomes(*sold)
    async with opened(browser, analytics, f"region={quote(world.region)}") as watched:
        page = watched.page
        await watched.shows("activations", "3")
        places = "[...document.querySelectorAll('.card, .panel, #instruments tr')].map((e) => e.offsetTop)"
        before = await page.evaluate(places)

        await publisher.outcomes(returned(sold[0], now))
        await watched.shows("activations", "2")
        await watched.shows("discount", "€10.00")
        await watched.shows("bonuses", "14")
        await watched.shows("paid", "€135.00")
        for card, note in (
            ("activations", "3 − 1 returned"),
            ("discount", "15.00 − 5.00 returned"),
            ("bonuses", "21 − 7 returned"),
            ("paid", "45.00 refunded"),
        ):
            await expect(page.locator(f"#card-{card} [data-note]")).to_have_text(note)
        row = page.locator(f'#instruments [data-campaign="{world.campaign}"]')
        cells = await row.locator("td").all_inner_texts()
        assert [cells[i].split("\n") for i in (3, 5)] == [
            ["2", "3 − 1 returned"],
            ["€10.00", "15.00 − 5.00 returned"],
        ]
        assert await page.evaluate(places) == before

        # More comes back than was sold: today, say, of what was sold yesterday.
        again = [returned(sold[2], now) for _ in range(2)]
        await publisher.outcomes(*again)
        await watched.shows("activations", "0")
        assert await watched.ranked("stores") == [("Main street", "1"), ("Station", "-1")]
    assert watched.complaints == []


async def test_a_filter_changes_what_is_shown_and_survives_a_reload(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    now = clock.now()
    await publisher.outcomes(
        receipt(world.first, now, [world.use], total=5_000),
        receipt(world.second, now, total=5_000),
    )
    async with opened(browser, analytics, f"region={quote(world.region)}") as watched:
        page = watched.page
        await watched.shows("receipts", "2")
        await page.get_by_role("combobox", name="Store").select_option(value=world.second.store_id)
        await watched.shows("receipts", "1")
        await watched.shows("activations", "0")
        await page.reload()
        await watched.shows("receipts", "1")
        await page.get_by_role("button", name="Clear filters").click()
        await expect(page.get_by_role("combobox", name="Region")).to_have_value("")


async def test_a_link_with_what_the_server_does_not_know_is_asked_once_and_then_without(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    await publisher.outcomes(receipt(world.first, clock.now(), total=5_000))
    link = f"region={quote(world.region)}&currency=foo"
    async with opened(browser, analytics, link) as watched:
        await watched.shows("receipts", "1")
        assert "currency" not in urlsplit(watched.page.url).query
        assert "region" in urlsplit(watched.page.url).query
    streams = [url for url in watched.asked if "/stream?" in url and "region" in url]
    assert len(streams) == 2


async def test_a_browser_in_a_zone_that_the_server_does_not_know_is_shown_utc(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    await publisher.outcomes(receipt(world.first, clock.now(), total=5_000))
    async with opened(browser, analytics, f"region={quote(world.region)}") as watched:
        await watched.page.add_init_script(_UNKNOWN_ZONE)
        await watched.page.reload()
        await watched.shows("receipts", "1")
        zones = [
            parse_qs(urlsplit(url).query)["time_zone"] for url in watched.asked if "/stream?" in url
        ]
    assert zones[-2:] == [["Etc/Unknown"], ["UTC"]]


async def test_what_said_that_reading_failed_goes_when_the_stream_is_back(
    browser: Browser, analytics: Analytics, world: World
) -> None:
    failures = iter(["event: failed\ndata: {}\n\n"])

    async def answer(route: Route) -> None:
        body = "retry: 2000\n\n" + next(failures, ": nothing has changed\n\n")
        await route.fulfill(content_type="text/event-stream", body=body)

    async with opened(browser, analytics, f"region={quote(world.region)}") as watched:
        await watched.page.route("**/v1/statistics/stream*", answer)
        await watched.page.get_by_role("radio", name="30 days").check()
        banner = watched.page.locator("#notices .notice")
        await expect(banner).to_contain_text("could not be read")
        await expect(banner).to_be_hidden()


async def test_a_link_on_another_site_opens_the_dashboard(
    browser: Browser, analytics: Analytics
) -> None:
    async with visiting(browser, analytics.stack, ["statistics:read"]) as visitor:
        page = visitor.page
        await page.goto(f"{analytics.url.replace('127.0.0.1', 'localhost')}/livez")
        await page.set_content(f'<a href="{analytics.dashboard}">figures</a>')
        await page.get_by_role("link").click()
        await expect(page.locator("#status")).to_have_attribute("data-state", "live")


async def test_after_a_crash_of_the_service_the_page_comes_back_by_itself(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    now = clock.now()
    await publisher.outcomes(receipt(world.first, now, [world.use], total=5_000))
    async with opened(browser, analytics, f"region={quote(world.region)}") as watched:
        await watched.shows("receipts", "1")
        await analytics.crash()
        status = watched.page.locator("#status")
        await expect(status).to_have_attribute("data-state", "reconnecting", timeout=WITHIN_MS)
        await analytics.start()
        await publisher.outcomes(receipt(world.first, now, total=5_000))
        await watched.shows("receipts", "2")
        await expect(status).to_have_attribute("data-state", "live")


async def test_the_page_can_be_used_by_keyboard_and_by_a_screen_reader(
    browser: Browser, analytics: Analytics, world: World
) -> None:
    async with opened(browser, analytics, f"region={quote(world.region)}") as watched:
        page = watched.page
        assert await page.evaluate("document.documentElement.lang") == "en"
        for role in ("main", "banner", "navigation"):
            await expect(page.get_by_role(role)).to_have_count(1)
        await expect(page.get_by_role("heading", level=1)).to_have_count(1)
        for name in ("Campaign", "Store", "Region", "Device"):
            await expect(page.get_by_role("combobox", name=name)).to_be_visible()
        await expect(page.get_by_role("img", name="Activity")).to_have_count(1)
        for name in ("Activations by store", "Why there was no benefit"):
            await expect(page.get_by_role("region", name=name)).to_have_count(1)
            await expect(page.get_by_role("table", name=name)).to_have_count(1)
        await expect(page.locator("#announcement")).to_contain_text("0 receipts")
        assert await page.locator("#instruments th:not([scope=col])").count() == 0
        unnamed = "img:not([alt]), button:empty, input:not([id]):not(label input)"
        assert await page.locator(unnamed).count() == 0

        await page.get_by_role("radio", name="90 days").focus()
        await page.keyboard.press("ArrowLeft")
        await expect(page.get_by_role("radio", name="30 days")).to_be_checked()
        assert "period=30d" in page.url
        sort = page.get_by_role("button", name="Cart revisions")
        await sort.focus()
        await page.keyboard.press("Enter")
        column = page.locator("#instruments th", has=sort)
        await expect(column).to_have_attribute("aria-sort", "descending")


async def test_nothing_jumps_when_figures_arrive(
    browser: Browser, analytics: Analytics, publisher: Publisher, world: World
) -> None:
    async with opened(browser, analytics, f"region={quote(world.region)}") as watched:
        page = watched.page
        places = "[...document.querySelectorAll('.card, .panel')].map((e) => e.offsetTop)"
        before = await page.evaluate(places)
        await publisher.outcomes(receipt(world.first, clock.now(), [world.use], total=5_000))
        await watched.shows("activations", "1")
        assert await page.evaluate(places) == before
