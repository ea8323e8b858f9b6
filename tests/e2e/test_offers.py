"""Policies of offers in a browser: written, tried, started; and what they bring, with the figures beside the picture."""

import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.stack import Stack
from shared import clock
from shared.web.auth import Scope
from tests.e2e.everybody import obstacles
from tests.e2e.visitor import WITHIN_MS, visiting
from tests.integration.customers import database
from tests.integration.emission import new_id, ok
from tests.integration.offers import Place, opened
from tests.integration.shop import open_tills

pytestmark = pytest.mark.slow

WRITER: tuple[Scope, ...] = ("customers:read", "customers:write", "campaigns:read")
READER: tuple[Scope, ...] = ("customers:read",)
_CUSTOMERS = 1_200


@pytest.fixture(scope="module")
async def place(stack: Stack) -> AsyncIterator[Place]:
    async with opened(stack) as found:
        yield found


@dataclass(frozen=True)
class Measured:
    """A policy whose customers' days are over: of a quarter, the control group, a tenth has bought, of others a fifth."""

    policy_id: str
    name: str


@pytest.fixture(scope="module")
async def measured(stack: Stack, place: Place) -> Measured:
    policy_id = new_id("p")
    name = f"Measured {policy_id}"
    ok(
        await place.client.post(
            "/v1/policies", json=place.policy(policy_id=policy_id, name=name, control_share=2_500)
        ),
        201,
    )
    ends = clock.now() - timedelta(days=1)
    chance = random.Random(5)  # noqa: S311 - the same every time
    windows = []
    for n in range(_CUSTOMERS):
        held_back = n % 4 == 0
        who = (policy_id, f"{policy_id}-{n}")
        days = (ends - timedelta(days=9), ends, "UAH")
        for step in (0, 1, 2):
            buys = chance.random() < (0.1 if held_back else 0.2)
            paid = chance.randrange(10_000, 30_000) if buys else 0
            used = buys and not held_back and n % 3 == 0
            windows.append((*who, step, held_back, *days, int(buys), paid, used))
    async with database(stack) as connection:
        await connection.copy_records_to_table("offer_windows", records=windows)
        await connection.execute(
            "insert into policy_steps values ($1, 1, 900, 880, 60, 820, 5, 300, 0, 123450)",
            policy_id,
        )
    return Measured(policy_id, name)


async def field(page: Page, at: str, text: str) -> None:
    """Fill the field of the policy that has this path."""
    await page.locator(f'[data-field="{at}"]').fill(text)


async def test_a_policy_is_written_tried_started_and_makes_an_offer(
    browser: Browser, stack: Stack, place: Place
) -> None:
    async with open_tills(stack) as tills:
        customer_id = await place.customer(tills)
    policy_id = new_id("p")
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/policy")
        trial = page.locator("#dry-run")
        await expect(trial).to_contain_text("Complete the policy")
        for at, text in (
            ("name", "Welcome back"),
            ("policy_id", policy_id),
            ("reason", policy_id),
            ("when.purchases.at_most", "1"),
            ("max_discount", "15"),
            ("steps.0.emission_id", place.emissions[0]),
            ("steps.0.discount", "10"),
            ("control_share", "0"),
        ):
            await field(page, at, text)
        await page.get_by_label("Time of the day").select_option("at_once")
        await page.get_by_label("Quiet hours: nothing is sent").uncheck()
        await page.get_by_role("button", name="Add a bigger step").click()
        await field(page, "steps.1.emission_id", place.emissions[1])
        await field(page, "steps.1.discount", "9")
        words = page.locator("#words")
        await expect(words).to_contain_text("who have bought at most 1 time")
        await expect(words).to_contain_text("a code of their own for 10% off, valid for 7 days")
        await expect(words).to_contain_text("It is sent at once.")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("must be more than in the step before")).to_be_visible()
        await expect(page.locator('[data-field="steps.1.discount"]')).to_be_focused()
        await field(page, "steps.1.discount", "15")
        await expect(trial.locator("[data-sent]")).to_have_text(
            re.compile(r"^[1-9]"), timeout=WITHIN_MS
        )
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved: a draft, until it is started")).to_be_visible()
        assert page.url.endswith(f"?policy_id={policy_id}")
        await page.get_by_role("button", name="Start").click()
        await page.get_by_role("dialog").get_by_role("button", name="Start").click()
        await expect(page.locator(".badge").first).to_have_text("running")
        offer = await place.offer(customer_id, "offered")
        assert (offer.policy_id, offer.reason) == (policy_id, policy_id)
        await page.get_by_role("tab", name="Offers").click()
        row = page.get_by_role("row").filter(has_text=customer_id)
        await expect(row).to_contain_text("sent")
        await expect(row).to_contain_text("10%")
        assert offer.code is not None
        assert offer.code not in await page.content()
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator(".badge").first).to_have_text("paused")
        await page.get_by_role("tab", name="History").click()
        rows = page.get_by_role("row")
        await expect(rows).to_have_count(4)
        await expect(rows.nth(1)).to_contain_text("paused")
    assert visitor.complaints_but_for(422) == []


async def test_a_saved_policy_is_shown_as_it_was_saved(
    browser: Browser, stack: Stack, place: Place
) -> None:
    policy = place.policy(
        name="Slow weeks",
        season={"weekdays": ["fri"], "spans": [{"starts": "12-15", "until": "01-07"}]},
        sales=[{"of": "store", "days": 7, "against": "year_ago", "below": 9_000}],
        beginnings=[{"step": 2, "season": {"months": [1]}}],
        cap={"offers": 1, "days": 30},
        budget={"codes": 100},
    )
    path = f"/v1/policies/{policy['policy_id']}"
    ok(await place.client.post("/v1/policies", json=policy), 201)
    before = ok(await place.client.get(path))["policy"]
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/policy?policy_id={policy['policy_id']}")
        words = page.locator("#words")
        sales = "while the number of purchases of their store in the last 7 days is below 90%"
        for said in (
            "on Friday, from 15 December to 7 January",
            f"{sales} of those of the same days a year ago",
            "Offers begin with step 2 in January.",
            "at most 1 offer to a customer within 30 days, at most 100 codes",
            "Without a control group it will not be known what it brings.",
        ):
            await expect(words).to_contain_text(said)
        await field(page, "name", "Slower weeks")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert ok(await place.client.get(path))["policy"] == before | {"name": "Slower weeks"}
    assert visitor.complaints == []


async def test_what_a_policy_promises_and_no_campaign_gives_is_said(
    browser: Browser, stack: Stack, place: Place
) -> None:
    policy = place.policy(steps=[{"emission_id": place.emissions[0], "discount": 700}])
    ok(await place.client.post("/v1/policies", json=policy), 201)
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/policy?policy_id={policy['policy_id']}")
        note = page.get_by_role("note").filter(has_text="gives another discount")
        await expect(note).to_be_visible(timeout=WITHIN_MS)
        await page.get_by_role("button", name="Start").click()
        await page.get_by_role("dialog").get_by_role("button", name="Start").click()
        wrong = page.locator('[data-field="steps.0.discount"]')
        await expect(wrong).to_have_attribute("aria-invalid", "true")
        await expect(page.locator(".badge").first).to_have_text("draft")
    assert visitor.complaints_but_for(409) == []


async def test_what_offers_bring_is_drawn_with_its_interval_and_stands_in_a_table(
    browser: Browser, stack: Stack, measured: Measured
) -> None:
    address = f"{stack.url('customers')}/policy?policy_id={measured.policy_id}&tab=outcome"
    async with visiting(browser, stack, READER) as visitor:
        page = visitor.page
        await page.goto(address)
        drawn = page.get_by_role("img", name=re.compile("^Days of all steps: .* more of them buy"))
        await expect(drawn).to_have_attribute("data-proven", "true")
        chart = page.locator('#outcome [data-step="0"]')
        await expect(chart).to_contain_text("900 customers against 300")
        table = page.get_by_role("region", name="All figures")
        row = table.get_by_role("row").filter(has_text="Days of all steps")
        await expect(row).to_contain_text(re.compile(r"(19|20|21)\.?[0-9]?%"))
        await expect(row).to_contain_text("control group: 300")
        codes = (
            page.get_by_role("region", name="What became of the codes").get_by_role("row").nth(1)
        )
        await expect(codes).to_contain_text("1: 10%")
        await expect(codes).to_contain_text("6.8%")
        await expect(codes).to_contain_text("₴1,234.50")
        await page.goto(f"{stack.url('customers')}/offers")
        listed = page.get_by_role("row").filter(has_text=measured.name)
        await expect(listed).to_contain_text("300 in the control group")
        await expect(listed).to_contain_text("proven")
        await expect(listed.get_by_role("button")).to_have_count(0)
    assert visitor.complaints == []


@pytest.mark.parametrize("tab", ["policy", "outcome", "offers", "history"])
async def test_a_full_page_is_for_everybody(
    browser: Browser, stack: Stack, measured: Measured, tab: str
) -> None:
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        address = f"{stack.url('customers')}/policy?policy_id={measured.policy_id}&tab={tab}"
        await page.goto(address)
        await expect(page.get_by_role("heading", level=1)).to_have_text(measured.name)
        assert await obstacles(page) == []


async def test_the_cap_over_all_policies_is_changed_in_a_dialog(
    browser: Browser, stack: Stack, place: Place
) -> None:
    before = ok(await place.client.get("/v1/offer-cap"))
    async with visiting(browser, stack, WRITER) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('customers')}/offers")
        await page.get_by_role("button", name="Change").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Offers to one customer, at most").fill("3")
        await dialog.get_by_label("within any days").fill("9")
        await dialog.get_by_role("button", name="Save").click()
        await expect(page.locator("#cap")).to_have_text(
            "A customer gets at most 3 offers within 9 days."
        )
    ok(await place.client.put("/v1/offer-cap", json=before))
    assert visitor.complaints == []
