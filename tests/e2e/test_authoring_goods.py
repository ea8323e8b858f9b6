"""Codes for customers, products, stores and groups by file, and a cart that is tried, in a real browser."""

import json
import re

from playwright.async_api import Browser, FilePayload, expect

from deploy.local.stack import Stack
from shared.codec import encode
from tests.e2e.authoring import complaints, field, marketing, pick, unique
from tests.e2e.visitor import WITHIN_MS
from tests.integration import emission, shop
from tests.integration.emission import author, instrument_of, ok, plan_of


def a_file(name: str, text: str) -> FilePayload:
    """A file as a browser is given it."""
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


async def test_codes_for_customers_of_a_file(browser: Browser, stack: Stack) -> None:
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/emissions/new")
        await page.get_by_role("radio", name="Personal codes a batch").check()
        await field(page, "Name").fill(unique("Mailing"))
        await field(page, "Pattern").fill("MAY-####")
        example = page.get_by_role("group", name="Example")
        await expect(example).to_contain_text("MAY-")
        await expect(example).to_contain_text("need 6 # to be unguessable")
        await field(page, "Pattern").fill("MAY-####-####")
        await expect(example).to_contain_text("They cannot be guessed")
        customers = "name;customer_id\nAnna;c-1\nBo;c-2\nBo;c-2\nCy;cy@example.org\n"
        await page.get_by_label("For these customers").set_input_files(
            a_file("mailing.csv", customers)
        )
        read = page.locator(".notice", has_text="mailing.csv")
        await expect(read).to_contain_text("2 customers, 1 given twice, 1 bad line left out")
        await expect(read).to_contain_text("Line 5: looks like personal data")
        await page.get_by_role("button", name="Save").click()
        await page.wait_for_url(re.compile("/emissions/mailing"))
        await page.get_by_role("button", name="Post").click()
        await page.get_by_role("dialog").get_by_role("button", name="Post").click()
        await expect(page.locator(".title-bar .badge")).to_have_text("posted", timeout=WITHIN_MS)
        async with page.expect_download() as downloading:
            await page.get_by_role("link", name="Download as CSV").click()
        download = await downloading.value
        lines = (await download.path()).read_text().split()
        assert lines[0] == "code,customer_id"
        assert [line.split(",")[1] for line in lines[1:]] == ["c-1", "c-2"]
        assert all(line.startswith("MAY-") for line in lines[1:])
        assert complaints(visitor) == []


async def test_products_are_uploaded_or_their_rows_are_at_fault(
    browser: Browser, stack: Stack
) -> None:
    name = unique("Sweet")
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/products")
        await page.get_by_role("button", name="Upload products").click()
        dialog = page.get_by_role("dialog")
        bad = f"sku,name,group,cost,currency\ns-1,{name},sweets,dear,UAH\n"
        await dialog.get_by_label("CSV file").set_input_files(a_file("products.csv", bad))
        await dialog.get_by_role("button", name="Upload", exact=True).click()
        await expect(dialog.get_by_role("alert")).to_contain_text("Row 2, cost")
        sku = name.replace(" ", "-")
        good = f"sku;name;group;cost;currency\n{sku};{name};sweets;23,50;UAH\n"
        await dialog.get_by_label("CSV file").set_input_files(a_file("products.csv", good))
        await dialog.get_by_role("button", name="Upload", exact=True).click()
        await expect(page.get_by_text("1 product, 1 of them new or changed")).to_be_visible()
        await page.get_by_role("searchbox", name="Search").fill(name)
        await page.wait_for_url(re.compile("search="))
        await expect(page.locator("tbody tr")).to_have_count(1)
        await expect(page.locator("tbody tr")).to_contain_text("23.50")
        await page.get_by_role("button", name=f"Delete {name}").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
        assert complaints(visitor) == []


async def test_stores_and_groups_are_written_in_the_browser(browser: Browser, stack: Stack) -> None:
    name = unique("Shop")
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/stores")
        await page.get_by_role("button", name="New store").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill(name)
        await dialog.get_by_role("button", name="Save").click()
        # The region is missing still.
        await expect(dialog.get_by_label("Region")).to_have_attribute("aria-invalid", "true")
        await dialog.get_by_label("Region").fill("Kyiv")
        await dialog.get_by_label("Time zone").select_option("Europe/Kyiv")
        await dialog.get_by_label("Latitude").fill("50.4501")
        await dialog.get_by_label("Longitude").fill("30.5234")
        await dialog.get_by_role("button", name="Save").click()
        await expect(page.get_by_text(f"{name} was saved")).to_be_visible()
        await page.get_by_role("searchbox", name="Search").fill(name)
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.get_by_role("tab", name="Customer groups").click()
        await page.get_by_role("button", name="New group").click()
        await dialog.get_by_label("Name").fill(unique("Group"))
        await dialog.get_by_label("Customers").set_input_files(a_file("g.txt", "c-1\nc-2\nc-3\n"))
        await dialog.get_by_role("button", name="Make the group").click()
        await expect(page.get_by_role("status").get_by_text("3 customers")).to_be_visible()
        async with author(stack) as client:
            found = ok(await client.get("/v1/stores", params={"search": name}))["items"]
        assert found[0]["location"] == {"latitude_e6": 50_450_100, "longitude_e6": 30_523_400}
        assert complaints(visitor) == []


async def test_a_cart_is_tried_with_a_draft(browser: Browser, stack: Stack) -> None:
    [store_id] = await shop.open_store(stack)
    word = emission.new_word()
    emission_id = await shop.post_word(stack, word)
    instrument = instrument_of(emission_id)
    plan = plan_of(instrument, stores=[store_id], first_day="2026-01-01", last_day="2035-12-31")
    async with author(stack) as client:
        ok(await client.post("/v1/instruments", json=instrument), 201)
        ok(await client.post("/v1/campaigns", json=plan), 201)
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/campaigns/{plan['campaign_id']}?tab=try")
        await page.get_by_label(word).check()
        await pick(page, "Product", "4823077", "4823077")
        await field(page, "Price").fill("290.00")
        await page.get_by_role("button", name="Decide").click()
        applied = page.get_by_role("region", name="What applied")
        await expect(applied).to_contain_text(re.compile(r"10\.00 more, and .* is given"))
        await field(page, "Quantity").fill("2")
        await page.get_by_role("button", name="Decide").click()
        await expect(page.get_by_role("region", name="Decision")).to_contain_text("58.00")
        await expect(applied).to_contain_text(instrument["name"])
        await page.get_by_label(word).uncheck()
        await page.get_by_role("button", name="Decide").click()
        await expect(
            page.get_by_role("region", name="What did not apply, and why")
        ).to_contain_text("a code leads to it that was not given")
        # The cart is there again when one comes back to it.
        await page.reload()
        await expect(field(page, "Price")).to_have_value("290.00")
        assert complaints(visitor) == []


async def test_a_running_campaign_is_tried_as_a_till_would(browser: Browser, stack: Stack) -> None:
    [store_id] = await shop.open_store(stack)
    word = emission.new_word()
    instrument = instrument_of(await shop.post_word(stack, word))
    campaign_id = await shop.run_campaign(stack, [instrument], stores=[store_id])
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/campaigns/{campaign_id}?tab=try")
        await field(page, "Promo codes").fill(f"{word.lower()} nonsense")
        await pick(page, "Product", "4823077", "4823077")
        await field(page, "Price").fill("300")
        await page.get_by_role("button", name="Decide").click()
        await expect(page.get_by_role("region", name="Decision")).to_contain_text("30.00")
        refused = page.get_by_role("region", name="What did not apply, and why")
        await expect(refused).to_contain_text("Code 2: there is no such code")
        # What is typed but not saved is tried as if it was.
        await page.get_by_role("tab", name="Plan").click()
        await field(page, "Comment").fill("Another")
        await page.get_by_role("tab", name="Try it").click()
        await expect(page.get_by_label(word)).to_be_visible()
        assert complaints(visitor) == []


async def test_a_backtest_covers_receipts_of_today_also_where_it_is_tomorrow_already(
    browser: Browser, stack: Stack
) -> None:
    """One run at 23:00 UTC had none of a store in Kyiv."""
    plan = plan_of(instrument := instrument_of())
    async with author(stack) as client:
        ok(await client.post("/v1/instruments", json=instrument), 201)
        ok(await client.post("/v1/campaigns", json=plan), 201)
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.clock.set_fixed_time("2026-11-26T23:00:00Z")
        await page.goto(f"{stack.url('emission')}/campaigns/{plan['campaign_id']}")
        await page.get_by_role("tab", name="Backtest").click()
        await expect(page.get_by_label("until (not included)")).to_have_value("2026-11-28")


async def test_a_campaign_is_backtested_from_its_page(browser: Browser, stack: Stack) -> None:
    [store_id] = await shop.open_store(stack)
    instrument = instrument_of()
    plan = plan_of(instrument, stores=[store_id], first_day="2026-01-01", last_day="2035-12-31")
    async with author(stack) as client:
        ok(await client.post("/v1/instruments", json=instrument), 201)
        ok(await client.post("/v1/campaigns", json=plan), 201)
    async with shop.client(stack, "evaluator") as till:
        cart = json.loads(encode(shop.a_cart(store_id, 50_000)))
        ok(await till.post("/v1/checkouts", json=cart))
    async with marketing(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/campaigns/{plan['campaign_id']}")
        await page.get_by_role("tab", name="Backtest").click()
        await page.get_by_role("button", name="Start the backtest").click()
        report = page.get_by_role("region", name="What it would have done")
        await expect(report).to_contain_text("1 of ", timeout=60_000)
        by_day = page.get_by_role("region", name="Receipts with a benefit, by day")
        await by_day.get_by_text("As a table").click()
        await expect(by_day.locator("tbody tr").last).to_be_visible()
        # It is there again when one comes back.
        await page.reload()
        await expect(report).to_be_visible()
        assert complaints(visitor) == []
