"""What is live stays honest: activations one by one, lost connections, tokens that are over, sources that lag."""

import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from shared import clock
from shared.events.outcome import Receipt
from tests.e2e.conftest import Analytics
from tests.e2e.events import Publisher, Shop, receipt
from tests.e2e.viewer import opened
from tests.e2e.visitor import WITHIN_MS, Visitor, visiting
from tests.waiting import until


@dataclass(frozen=True)
class Sold:
    """A store that no other test has, and how a receipt of it is sold."""

    shop: Shop
    campaign: str

    def receipt(self, discount: int) -> Receipt:
        """A receipt that can be told by its discount."""
        use = (self.campaign, "ten", discount)
        return receipt(self.shop, clock.now(), [use], total=50_000)


@pytest.fixture
async def sold(publisher: Publisher) -> Sold:
    mark = secrets.token_hex(3)
    made = Sold(Shop(f"feed-{mark}", f"Feed {mark}", f"Region {mark}"), f"feed-{mark}")
    await publisher.shops(made.shop)
    await publisher.campaign(made.campaign, f"Campaign {mark}", {"ten": "10% off"})
    return made


@asynccontextmanager
async def following(browser: Browser, analytics: Analytics, sold: Sold) -> AsyncIterator[Visitor]:
    """Somebody who looks at the activations of the store."""
    async with visiting(browser, analytics.stack, ["statistics:read"]) as visitor:
        await visitor.page.goto(f"{analytics.url}/feed?store_id={sold.shop.store_id}")
        status = visitor.page.locator("#status")
        await expect(status).to_have_attribute("data-state", "live", timeout=WITHIN_MS)
        yield visitor


async def shows(visitor: Visitor, *discounts: int) -> None:
    """Wait until exactly these activations are shown, the newest first."""
    amounts = [f"€{amount / 100:.2f}" for amount in discounts]
    cells = visitor.page.locator("#feed tbody tr td:nth-child(6)")
    await expect(cells).to_have_text(amounts, timeout=WITHIN_MS)


async def test_activations_come_one_by_one_and_none_is_missed_or_repeated_over_a_crash(
    browser: Browser, analytics: Analytics, publisher: Publisher, sold: Sold
) -> None:
    async with following(browser, analytics, sold) as visitor:
        await expect(visitor.page.get_by_text("No activation yet")).to_be_visible()
        for discount in (101, 102):
            await publisher.outcomes(sold.receipt(discount))
        await shows(visitor, 102, 101)
        await analytics.crash()
        status = visitor.page.locator("#status")
        await expect(status).to_have_attribute("data-state", "reconnecting", timeout=WITHIN_MS)
        for discount in (103, 104, 105):
            await publisher.outcomes(sold.receipt(discount))
        await analytics.start()
        await shows(visitor, 105, 104, 103, 102, 101)
        await publisher.outcomes(sold.receipt(106))
        await shows(visitor, 106, 105, 104, 103, 102, 101)


async def test_what_comes_while_one_reads_waits_until_one_goes_on(
    browser: Browser, analytics: Analytics, publisher: Publisher, sold: Sold
) -> None:
    async with following(browser, analytics, sold) as visitor:
        page = visitor.page
        await publisher.outcomes(sold.receipt(101))
        await shows(visitor, 101)
        await page.get_by_role("button", name="Pause").click()
        await publisher.outcomes(sold.receipt(102))
        await expect(page.get_by_role("button", name="Go on: 1 new")).to_be_visible(
            timeout=WITHIN_MS
        )
        await shows(visitor, 101)
        await page.get_by_role("button", name="Go on: 1 new").click()
        await shows(visitor, 102, 101)
    assert visitor.complaints == []


async def test_an_activation_leads_to_those_of_its_campaign(
    browser: Browser, analytics: Analytics, publisher: Publisher, sold: Sold
) -> None:
    await publisher.outcomes(sold.receipt(101))
    async with following(browser, analytics, sold) as visitor:
        await shows(visitor, 101)
        await visitor.page.locator("#feed tbody button").first.click()
        await shows(visitor, 101)
        assert f"campaign_id={sold.campaign}" in visitor.page.url


async def test_a_token_that_is_over_is_renewed_and_the_stream_goes_on_where_it_was(
    browser: Browser, analytics: Analytics, publisher: Publisher, sold: Sold
) -> None:
    await publisher.outcomes(sold.receipt(101))
    seen: list[str | None] = []

    async def first_expires(route: Route) -> None:
        seen.append(route.request.headers.get("last-event-id"))
        if len(seen) == 1:
            body = "id: 7\nevent: activation\ndata: {}\n\nevent: expired\ndata: {}\n\n"
            await route.fulfill(content_type="text/event-stream", body=body)
        else:
            await route.continue_()

    async def renew(route: Route) -> None:
        origin = {"access-control-allow-origin": analytics.url}
        also = {"access-control-allow-credentials": "true"}
        await route.fulfill(status=204, headers=origin | also)

    async with visiting(browser, analytics.stack, ["statistics:read"]) as visitor:
        await visitor.page.route("**/v1/statistics/activations/stream*", first_expires)
        await visitor.page.route("**/v1/session/renew", renew)
        await visitor.page.goto(f"{analytics.url}/feed?store_id={sold.shop.store_id}")

        async def again() -> bool:
            return len(seen) == 2

        await until(again, what="another question for the stream")
    assert seen == [None, "7"]


async def test_who_has_no_session_any_more_is_told_so_and_keeps_what_was_shown(
    browser: Browser, analytics: Analytics, publisher: Publisher, sold: Sold
) -> None:
    await publisher.outcomes(sold.receipt(101))
    async with opened(browser, analytics, f"store_id={sold.shop.store_id}") as watched:
        page = watched.page
        await watched.shows("receipts", "1")
        await page.context.clear_cookies()
        await analytics.crash()
        await analytics.start()
        notice = page.locator("#notices")
        await expect(notice).to_contain_text("Your session has ended", timeout=WITHIN_MS)
        await watched.shows("receipts", "1")
        await notice.get_by_role("button", name="Sign in again").click()
        await page.wait_for_url(f"{analytics.stack.url('emission')}/sign-in?**")


async def test_what_the_page_asks_by_itself_does_not_lead_away_when_the_session_is_over(
    browser: Browser, analytics: Analytics, publisher: Publisher, sold: Sold
) -> None:
    async def refuse(route: Route) -> None:
        headers = {
            "access-control-allow-origin": analytics.url,
            "access-control-allow-credentials": "true",
        }
        await route.fulfill(status=401, headers=headers, json={"title": "There is no session"})

    await publisher.outcomes(sold.receipt(101))
    async with visiting(browser, analytics.stack, ["statistics:read"]) as visitor:
        page = visitor.page
        await page.route("**/v1/session/renew", refuse)
        await page.route("**/v1/statistics/caps*", refuse)
        await page.goto(f"{analytics.dashboard}?store_id={sold.shop.store_id}")
        await expect(page.locator("[data-panel=caps]")).to_contain_text("There is no session")
        assert page.url.startswith(analytics.dashboard)


async def tell_freshness(page: Page, told: dict[str, Any]) -> None:
    """Have a dashboard told that figures are so fresh, instead of what they are."""

    async def answer(route: Route) -> None:
        body = f"event: freshness\ndata: {json.dumps(told)}\n\n"
        await route.fulfill(content_type="text/event-stream", body=body)

    await page.route("**/v1/statistics/stream*", answer)
    await page.get_by_role("radio", name="30 days").check()


async def test_a_source_that_lags_is_named_with_how_far(
    browser: Browser, analytics: Analytics, sold: Sold
) -> None:
    now = clock.now()
    behind = [
        {
            "topic": topic,
            "read_until": (now - timedelta(seconds=late)).isoformat(),
            "records_behind": records,
        }
        for topic, late, records in (("promo.sales.v1", 90, 1234), ("promo.decisions.v1", 90, 0))
    ]
    told = {"as_of": now.isoformat(), "counted_until": now.isoformat(), "sources": behind}

    async with opened(browser, analytics, f"store_id={sold.shop.store_id}") as watched:
        await tell_freshness(watched.page, told)
        notices = watched.page.locator("#notices .notice")
        await expect(notices).to_have_text(
            [
                re.compile(
                    "^The sales are counted with a delay: until 2 min.* ago, 1,234 records to come"
                )
            ]
        )


async def test_that_kafka_does_not_answer_is_said_once_for_all_sources(
    browser: Browser, analytics: Analytics, sold: Sold
) -> None:
    now = clock.now()
    silent = [
        {"topic": topic, "read_until": None, "records_behind": None}
        for topic in ("promo.sales.v1", "promo.returns.v1", "reference.stores.v1")
    ]
    told = {"as_of": now.isoformat(), "counted_until": None, "sources": silent}

    async with opened(browser, analytics, f"store_id={sold.shop.store_id}") as watched:
        await tell_freshness(watched.page, told)
        await expect(watched.page.locator("#notices .notice")).to_have_text(
            [
                "It is not known how far the sales, returns and stores are counted: Kafka does not answer."
            ]
        )


async def test_how_old_the_figures_are_is_said_and_grows_when_nothing_comes(
    browser: Browser, analytics: Analytics, sold: Sold
) -> None:
    async with opened(browser, analytics, f"store_id={sold.shop.store_id}") as watched:
        said = watched.page.locator("#freshness")
        await expect(said).to_have_text(re.compile(r"^as of [0-9.]+ s ago$"))
        await watched.page.route("**/v1/statistics/stream*", lambda route: route.abort())
        await watched.page.get_by_role("radio", name="30 days").check()
        await expect(watched.page.locator("#notices")).to_contain_text("The connection is lost")
        await expect(said).to_have_text(
            re.compile(r"^as of ([5-9](\.[0-9])?|[1-9][0-9]+) s ago$"), timeout=WITHIN_MS
        )


async def test_why_the_service_refuses_for_now_is_said(
    browser: Browser, analytics: Analytics, sold: Sold
) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json={"detail": "Too many are open. Come back later."})

    async with opened(browser, analytics, f"store_id={sold.shop.store_id}") as watched:
        page = watched.page
        await page.route("**/v1/statistics/stream*", refuse)
        await page.get_by_role("radio", name="30 days").check()
        notices = page.locator("#notices")
        await expect(notices).to_contain_text("Too many are open", timeout=WITHIN_MS)
        await page.unroute("**/v1/statistics/stream*")
        await expect(notices.locator(".notice")).to_have_count(0, timeout=WITHIN_MS)
        await watched.shows("receipts", "0")
