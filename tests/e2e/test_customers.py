"""Customers in a browser: found, looked at as pictures and as tables, erased; and webhooks, made and watched."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec import msgpack
from playwright.async_api import Browser, Page, expect

from deploy.local.stack import Stack
from services.customers.fraud.model import Sample
from services.customers.profile import State, add_receipt, pack
from shared import clock
from shared.web.auth import SCOPES, Scope
from tests.e2e.everybody import settled, violations
from tests.e2e.visitor import WITHIN_MS, Scheme, visiting
from tests.integration import shop
from tests.integration.customers import database
from tests.integration.emission import new_id, ok
from tests.integration.receiver import open_receiver, say, subject
from tests.unit.customers.facts import a_line, a_receipt, a_redemption

pytestmark = pytest.mark.slow

READER: tuple[Scope, ...] = ("customers:read",)


@dataclass(frozen=True)
class Known:
    """Customers whose ids begin alike: the first has bought every week for ten weeks, the others once."""

    stem: str
    ids: Sequence[str]


@pytest.fixture(scope="module")
async def known(stack: Stack) -> AsyncIterator[Known]:
    stem, now = new_id("card"), clock.now()
    ids = [f"{stem}-{n:02}" for n in range(30)]
    async with database(stack) as connection:
        for n, customer_id in enumerate(ids):
            state = State()
            for week in range(1 if n else 10):
                receipt = a_receipt(
                    week,
                    receipt_id=f"{customer_id}-{week}",
                    customer_id=customer_id,
                    occurred_at=now - timedelta(weeks=week),
                    currency="UAH",
                    lines=(a_line(amount=12_345, group="sweets"),),
                    redemptions=(a_redemption(),) if week % 2 else (),
                )
                add_receipt(state, receipt)
            await connection.execute(
                "insert into profiles (customer_id, version, state) values ($1, 1, $2)",
                customer_id,
                pack(state),
            )
        await connection.execute(
            "insert into alerts (alert_id, rule, kind, subject, status, severity, times, excess, evidence,"
            " sample, first_seen_at, last_seen_at, changed_at, blocked, untold)"
            " values ($1, 'quick_returns', 'customer', $2, 'dismissed', 'high', 3, 0, '[]', $4, $3, $3, $3,"
            " false, false)",
            f"a-{stem}",
            ids[0],
            now,
            msgpack.encode(Sample("quick_returns", "customer", 0, ())),
        )
        yield Known(stem, ids)
        await connection.execute("delete from alerts where alert_id = $1", f"a-{stem}")
        await connection.execute("delete from profiles where customer_id = any($1)", ids)


async def open_page(page: Page, stack: Stack, path: str) -> None:
    await page.goto(f"{stack.url('customers')}{path}")
    await settled(page)


async def test_a_customer_is_found_by_how_the_id_begins_and_pages_are_turned(
    browser: Browser, stack: Stack, known: Known
) -> None:
    async with visiting(browser, stack, READER) as visitor:
        page = visitor.page
        await open_page(page, stack, "/customers")
        await page.get_by_role("searchbox").fill(known.stem)
        links = page.get_by_role("link", name=known.stem)
        await expect(page).to_have_url(re.compile(known.stem))
        await expect(links).to_have_count(25, timeout=WITHIN_MS)
        first = page.get_by_role("row").filter(has_text=known.ids[0])
        await expect(first).to_contain_text("₴1,234.50")
        await expect(first).to_contain_text("50%")
        await page.get_by_role("button", name="Next").click()
        await expect(links).to_have_count(5)
        await page.get_by_role("button", name="First page").click()
        await expect(links).to_have_count(25, timeout=WITHIN_MS)
        assert known.stem in page.url
        await page.get_by_role("searchbox").fill(f"{known.stem}-xyz")
        await expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
        assert visitor.complaints == []


async def test_all_customers_are_taken_away_as_a_table(
    browser: Browser, stack: Stack, known: Known
) -> None:
    async with visiting(browser, stack, READER) as visitor:
        await open_page(visitor.page, stack, "/customers")
        async with visitor.page.expect_download() as downloading:
            await visitor.page.get_by_role("link", name="All as CSV").click()
        download = await downloading.value
        assert download.suggested_filename == "customers.csv"
        text = (await download.path()).read_text()
        assert text.startswith("customer_id,version,")
        assert known.ids[29] in text


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
async def test_a_customer_is_shown_as_pictures_each_with_a_table(
    browser: Browser, stack: Stack, known: Known, width: int, scheme: Scheme
) -> None:
    async with visiting(browser, stack, READER, width=width, scheme=scheme) as visitor:
        page = visitor.page
        await open_page(page, stack, f"/customer?customer_id={known.ids[0]}")
        await expect(page.get_by_role("heading", level=1)).to_have_text(known.ids[0])
        tile = page.locator(".customer-tile").filter(has_text="Spent")
        await expect(tile).to_contain_text("₴1,234.50")
        weeks = page.get_by_role("region", name="Week by week", exact=True).first
        picture = weeks.get_by_role("img")
        await expect(picture).to_have_attribute("aria-label", re.compile(r"^10 purchases in 10"))
        await weeks.get_by_text("As a table").click()
        table = weeks.get_by_role("table")
        await expect(table.get_by_role("row")).to_have_count(11)
        await weeks.get_by_role("button", name="Paid").click()
        await expect(weeks.get_by_role("button", name="Paid")).to_have_attribute(
            "aria-pressed", "true"
        )
        heat = page.get_by_role("region", name="Hours and weekdays").get_by_role("table")
        await expect(heat.get_by_role("row")).to_have_count(8)
        shown = await heat.locator("td").all_inner_texts()
        assert sum(int(text) for text in shown if text) == 10
        groups = page.get_by_role("region", name="Favourite groups")
        await expect(groups.first).to_contain_text("sweets")
        alert = page.get_by_role("row").filter(has_text="Quick returns")
        await expect(alert).to_contain_text("dismissed")
        # Who may not erase is not offered to.
        await expect(page.get_by_role("button", name="Erase")).to_have_count(0)
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert visitor.complaints == []


async def test_a_customer_is_erased_once_the_id_was_typed_and_the_report_is_shown(
    browser: Browser, stack: Stack, known: Known
) -> None:
    customer_id = known.ids[1]
    async with visiting(browser, stack, SCOPES, login="dpo") as visitor:
        page = visitor.page
        await open_page(page, stack, f"/customer?customer_id={customer_id}")
        await page.get_by_role("button", name="Erase").click()
        dialog = page.get_by_role("dialog")
        button = dialog.get_by_role("button", name="Erase")
        await dialog.get_by_label("Type the id to confirm").fill(customer_id[:-1])
        await expect(button).to_be_disabled()
        await dialog.get_by_label("Type the id to confirm").fill(customer_id)
        assert await violations(page) == []
        await button.click()
        report = page.locator(".erasure[open]")
        await expect(report).to_contain_text("dpo", timeout=WITHIN_MS)
        await expect(report.get_by_role("row").filter(has_text="profiles")).to_contain_text("1")
        await expect(report).to_contain_text("customers.profiles.v1")
        await expect(page.get_by_text(customer_id)).to_have_count(0)
        # It is known again by its hash alone.
        await page.get_by_label("Was this id erased?").fill(customer_id)
        await expect(page.locator(".erasure")).to_have_count(1)
        await page.get_by_label("Was this id erased?").fill(known.ids[0])
        await expect(page.get_by_role("heading", name="Not erased")).to_be_visible()
        assert visitor.complaints == []
        await page.goto(f"{stack.url('customers')}/customer?customer_id={customer_id}")
        await expect(page.get_by_text("Erased on")).to_be_visible()
        assert visitor.complaints_but_for(404) == []


async def test_a_webhook_is_made_watched_and_replayed(browser: Browser, stack: Stack) -> None:
    about, name = subject(), new_id("CRM")
    async with open_receiver() as receiver, visiting(browser, stack, SCOPES) as visitor:
        page = visitor.page
        await open_page(page, stack, "/webhooks")
        await page.get_by_role("button", name="New webhook").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill(name)
        await dialog.get_by_label("Address").fill("http://crm.example.com/hook")
        for kind in ("profiles", "segments", "offers"):
            await dialog.get_by_label(kind).uncheck()
        assert await violations(page) == []
        await dialog.get_by_role("button", name="Make the webhook").click()
        await expect(dialog.get_by_text("must be https")).to_be_visible()
        await dialog.get_by_label("Address").fill(receiver.url)
        await dialog.get_by_role("button", name="Make the webhook").click()
        secret = page.get_by_role("textbox", name="Secret")
        await expect(secret).to_have_value(re.compile(r"^whsec_[\w-]{43}$"))
        await page.get_by_role("button", name="Done").click()
        hook = page.locator(".webhook").filter(has_text=name)
        await expect(hook).to_contain_text("active")
        await hook.get_by_role("button", name=f"Test {name}").click()
        await expect(page.get_by_text("Taken: answered 204")).to_be_visible()

        receiver.always = 500
        await say(stack, about)
        await expect(hook.get_by_text("failing", exact=True)).to_be_visible(timeout=WITHIN_MS)
        await expect(hook).to_contain_text("answered 500")
        receiver.always = 204
        await hook.get_by_role("button", name=f"Try now {name}").click()
        await receiver.has_taken(about)
        await expect(hook.get_by_text("active", exact=True)).to_be_visible(timeout=WITHIN_MS)
        await hook.get_by_text("Latest attempts").click()
        attempts = hook.get_by_role("row")
        await expect(attempts.filter(has_text="taken (204)").first).to_be_visible()
        await expect(attempts.filter(has_text="answered 500").first).to_be_visible()
        assert await violations(page) == []

        await hook.get_by_role("button", name=f"Replay {name}").click()
        moment = (clock.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
        await page.get_by_role("dialog").get_by_label("Since").fill(moment)
        known = len(receiver.taken(about))
        await page.get_by_role("button", name="Deliver again").click()
        await receiver.has_taken_again(about, known)
        await hook.get_by_role("button", name=f"Pause {name}").click()
        await expect(hook.get_by_text("paused", exact=True)).to_be_visible()
        await hook.get_by_role("button", name=f"Delete {name}").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(hook).to_have_count(0)
        # The address that was refused is not a fault of the page.
        assert visitor.complaints_but_for(422) == []
    async with shop.client(stack, "customers") as api:
        left = ok(await api.get("/v1/webhooks"))["items"]
        assert name not in {one["name"] for one in left}


async def test_a_customers_page_speaks_ukrainian(
    browser: Browser, stack: Stack, known: Known
) -> None:
    async with visiting(browser, stack, READER, locale="uk-UA") as visitor:
        page = visitor.page
        await open_page(page, stack, f"/customer?customer_id={known.ids[0]}")
        await expect(page.get_by_role("heading", name="Тиждень за тижнем")).to_be_visible()
        await expect(page.get_by_role("heading", name="Години та дні тижня")).to_be_visible()
