"""The whole way in real browsers: from a sign-in to figures that two people see change."""

import secrets

from playwright.async_api import Browser, Page, expect

from deploy.local.stack import Stack
from tests.e2e.authoring import a_shop, build_instrument, post_word, start_campaign
from tests.e2e.test_sign_in import sign_in
from tests.e2e.visitor import WITHIN_MS, visiting
from tests.integration import shop


async def shows(page: Page, figure: str, text: str) -> None:
    """Wait until a tile shows a figure."""
    await expect(page.locator(f'[data-figure="{figure}"]')).to_have_text(text, timeout=WITHIN_MS)


async def test_from_signing_in_to_figures_that_change_while_tills_sell(
    browser: Browser, stack: Stack
) -> None:
    store_id, store_name = await a_shop(stack)
    word = f"WELCOME{secrets.token_hex(3).upper()}"
    async with visiting(browser, stack) as author, visiting(browser, stack) as colleague:
        page = author.page
        await page.goto(f"{stack.url('emission')}/emissions")
        await sign_in(page, "admin", stack.secrets.admin_password)
        await page.wait_for_url(f"{stack.url('emission')}/emissions")
        await post_word(page, stack, word)
        await build_instrument(page, stack, word)
        campaign_id = await start_campaign(page, stack, word, store_name)
        await shop.until_decided_by(stack, campaign_id)

        # Both look at the campaign's figures before anything is sold.
        await page.get_by_role("link", name="Live figures").click()
        await shows(page, "activations", "0")
        address = page.url
        await colleague.page.goto(address)
        await sign_in(colleague.page, "admin", stack.secrets.admin_password)
        await shows(colleague.page, "activations", "0")

        async with shop.open_tills(stack) as tills:
            for number in range(3):
                cart = shop.a_cart(store_id, 30_000, number, codes=[word])
                decision = await tills.buy(cart)
                assert decision.discount == 3_000
            too_little = await tills.buy(shop.a_cart(store_id, 29_999, 3, codes=[word]))
            assert too_little.discount == 0
        for looking in (author, colleague):
            await shows(looking.page, "activations", "3")
            await expect(looking.page.get_by_text("997 of 1,000").first).to_be_visible(
                timeout=WITHIN_MS
            )
