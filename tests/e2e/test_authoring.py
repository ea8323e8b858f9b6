"""Authoring in a real browser: from a word to a running campaign, with nothing lost on the way."""

import re
import secrets

from playwright.async_api import Browser, Dialog, Page, expect

from deploy.local.stack import Stack
from tests.e2e.authoring import (
    a_shop,
    add_condition,
    build_instrument,
    complaints,
    field,
    marketing,
    pick,
    post_word,
    start_campaign,
    unique,
)
from tests.e2e.visitor import WITHIN_MS, visiting
from tests.integration.emission import author, instrument_of, ok, plan_of
from tests.integration.requests import a_request, issued


async def test_from_a_word_to_a_running_campaign(browser: Browser, stack: Stack) -> None:
    _, store_name = await a_shop(stack)
    word = f"WELCOME{secrets.token_hex(3).upper()}"
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await post_word(page, stack, word)
        await build_instrument(page, stack, word)
        campaign_id = await start_campaign(page, stack, word, store_name)
        async with author(stack) as client:
            campaign = ok(await client.get(f"/v1/campaigns/{campaign_id}"))
        assert campaign["status"] == "running"
        assert campaign["limits"] == [{"per": [], "redemptions": None, "money": 500_000}]
        assert complaints(visitor) == []


async def test_codes_on_request_from_the_form_to_a_running_campaign(
    browser: Browser, stack: Stack
) -> None:
    _, store_name = await a_shop(stack)
    name = unique("Gift")
    emission_id = name.lower().replace(" ", "-")
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/emissions/new")
        await page.get_by_role("radio", name=re.compile("^Personal codes on request")).check()
        await expect(field(page, "How many")).to_have_count(0)
        await field(page, "Name").fill(name)
        await field(page, "Pattern").fill("GIFT-########")
        await page.get_by_role("button", name="Save").click()
        await page.wait_for_url(re.compile(f"/emissions/{emission_id}$"))
        await page.get_by_role("button", name="Post").click()
        await page.get_by_role("dialog").get_by_role("button", name="Post").click()
        await expect(page.locator(".title-bar .badge")).to_have_text("posted", timeout=WITHIN_MS)
        await expect(page.get_by_text("Download as CSV")).to_have_count(0)  # there is none yet

        await page.goto(f"{stack.url('emission')}/instruments/new")
        await field(page, "Name").fill(f"{name}: 5% off")
        await add_condition(page, "Promo code")
        await pick(page, "Promo codes", name, name)
        await page.get_by_role("checkbox", name=re.compile("^Only for the customer")).check()
        await field(page, "Percent off").fill("5")
        await page.get_by_role("button", name="Save").click()
        await page.wait_for_url(re.compile(f"/instruments/{emission_id}"))
        await start_campaign(page, stack, name, store_name)

        request = a_request(emission_id)
        [answer] = await issued(stack, request)
        await page.goto(f"{stack.url('emission')}/emissions/{emission_id}")
        await page.get_by_role("button", name="Show codes").click()
        row = page.get_by_role("row").filter(has_text=str(answer.code))
        await expect(row).to_contain_text(request.customer_id)
        await page.goto(f"{stack.url('emission')}/emissions?search={emission_id}")
        await expect(page.get_by_role("row").filter(has_text=name)).to_contain_text(
            "+ 1 on request"
        )
        assert complaints(visitor) == []


async def new_instrument(page: Page, stack: Stack) -> None:
    """The form of a new instrument."""
    await page.goto(f"{stack.url('emission')}/instruments/new")
    await expect(field(page, "Name")).to_be_visible()


async def test_conditions_are_nested_by_keyboard(browser: Browser, stack: Stack) -> None:
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await new_instrument(page, stack)
        await field(page, "Name").fill(unique("Nested"))
        await field(page, "Percent off").fill("5")
        keys = page.keyboard
        for title in ("Number of lines", "Weekday", "First purchase"):
            await page.get_by_role("button", name="Add a condition").last.focus()
            await keys.press("Enter")
            name = "Day of the week" if title == "Weekday" else title
            option = page.get_by_role("dialog").get_by_role("button", name=re.compile(f"^{name}"))
            await option.focus()
            await keys.press("Enter")
            await expect(page.get_by_role("dialog")).to_have_count(0)
        await field(page, "Value").fill("3")
        # The last one goes up twice: the focus goes with it.
        await page.get_by_role("button", name="Move up: Condition 3").focus()
        await keys.press("Enter")
        await expect(page.get_by_role("button", name="Move up: Condition 2")).to_be_focused()
        await keys.press("Enter")
        await expect(page.get_by_role("button", name="Move down: Condition 1")).to_be_focused()
        # The weekday, now the third, is turned round.
        menu = page.get_by_role("button", name="Wrap, unwrap, duplicate: Condition 3")
        await menu.focus()
        await keys.press("Enter")
        await page.get_by_role("button", name="Wrap in: not").focus()
        await keys.press("Enter")
        await expect(page.get_by_role("combobox", name="Condition 3")).to_have_value("not")
        await page.get_by_role("button", name="Save").focus()
        await keys.press("Enter")
        await page.wait_for_url(re.compile("/instruments/nested"))
        async with author(stack) as client:
            saved = ok(await client.get(f"/v1/instruments/{page.url.rsplit('/', 1)[1]}"))
        kinds = [one["kind"] for one in saved["conditions"]]
        assert kinds == ["first_purchase", "line_count", "not"]
        assert saved["conditions"][2]["condition"]["kind"] == "weekday"
        assert complaints(visitor) == []


async def test_an_error_stands_beside_its_field_and_nothing_is_lost(
    browser: Browser, stack: Stack
) -> None:
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await new_instrument(page, stack)
        await field(page, "Name").fill(unique("Wrong"))
        await add_condition(page, "Any of these")
        await page.locator(".condition").get_by_role("button", name="Add a condition").click()
        await page.get_by_role("dialog").get_by_role("button", name="Receipt total").click()
        value = field(page, "Value")
        await value.fill("three hundred")
        await field(page, "Percent off").fill("120")
        await page.get_by_role("button", name="Save").click()
        await expect(value).to_have_attribute("aria-invalid", "true")
        await expect(value).to_be_focused()
        assert await value.get_attribute("data-field") == "conditions.0.conditions.0.compare.value"
        await expect(value).to_have_value("three hundred")
        wrong = page.locator(".field", has=field(page, "Percent off")).locator(".error")
        await expect(wrong).to_have_text("at most 100 %")
        await value.fill("300,5")
        await field(page, "Percent off").fill("12.5")
        await page.get_by_role("button", name="Save").click()
        await page.wait_for_url(re.compile("/instruments/wrong"))
        async with author(stack) as client:
            saved = ok(await client.get(f"/v1/instruments/{page.url.rsplit('/', 1)[1]}"))
        assert saved["conditions"][0]["conditions"][0]["compare"]["value"] == 30_050
        assert saved["benefit"]["percent"] == 1_250


async def test_another_kind_and_back_loses_nothing(browser: Browser, stack: Stack) -> None:
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await new_instrument(page, stack)
        await field(page, "Percent off").fill("7.5")
        await page.get_by_label("Kind of benefit").select_option("fixed_price")
        await field(page, "Price").fill("99.90")
        await page.get_by_label("Kind of benefit").select_option("percent_off")
        await expect(field(page, "Percent off")).to_have_value("7.5")
        await page.get_by_label("Kind of benefit").select_option("fixed_price")
        await expect(field(page, "Price")).to_have_value("99.90")
        assert complaints(visitor) == []


async def test_a_draft_is_there_again_after_a_reload(browser: Browser, stack: Stack) -> None:
    name = unique("Half")
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/campaigns/new")
        await field(page, "Name").fill(name)
        await field(page, "Budget of discounts").fill("12,")
        await expect(page.locator("[data-kept=true]")).to_be_visible()
        await page.reload()
        await expect(field(page, "Name")).to_have_value(name)
        await expect(field(page, "Budget of discounts")).to_have_value("12.00")
        await expect(page.get_by_text("Your unsaved changes of")).to_be_visible()
        await page.get_by_role("button", name="Discard").click()
        await expect(field(page, "Name")).to_have_value("")
        await page.reload()
        await expect(field(page, "Name")).to_have_value("")
        await expect(page.get_by_text("Your unsaved changes of")).to_have_count(0)
        assert complaints(visitor) == []


async def test_who_leaves_before_a_draft_is_kept_is_warned(browser: Browser, stack: Stack) -> None:
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/campaigns/new")
        await page.route("**/v1/drafts/campaign/**", lambda route: route.abort())
        page.on("dialog", stay)
        await field(page, "Name").fill("Not kept")
        await (
            page.get_by_role("link", name="Users")
            .or_(page.get_by_role("link", name="Products"))
            .first.click()
        )
        await expect(field(page, "Name")).to_have_value("Not kept")
        assert asked == ["beforeunload"]


async def test_the_history_says_who_changed_what(browser: Browser, stack: Stack) -> None:
    instrument = instrument_of()
    plan = plan_of(instrument)
    async with author(stack) as client:
        ok(await client.post("/v1/instruments", json=instrument), 201)
        ok(await client.post("/v1/campaigns", json=plan), 201)
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/campaigns/{plan['campaign_id']}")
        await field(page, "Comment").fill("For regulars")
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
        await page.get_by_role("tab", name="History").click()
        newest = page.locator(".history > li").first
        await expect(newest).to_contain_text("edited")
        await expect(newest).to_contain_text("marketer")
        await expect(newest.locator("ins")).to_contain_text("For regulars")
        await expect(page.locator(".history > li").last).to_contain_text("author")
        assert complaints(visitor) == []


async def test_who_only_reads_can_change_nothing(browser: Browser, stack: Stack) -> None:
    instrument = instrument_of()
    async with author(stack) as client:
        ok(await client.post("/v1/instruments", json=instrument), 201)
    async with visiting(browser, stack, ["campaigns:read"]) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/instruments/{instrument['instrument_id']}")
        await expect(field(page, "Name")).to_be_disabled()
        await expect(page.get_by_role("button", name="Save")).to_have_count(0)
        await expect(page.get_by_role("button", name="Add a condition")).to_have_count(0)
        assert complaints(visitor) == []
