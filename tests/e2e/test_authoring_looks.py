"""The pages of authoring with much on them: for everybody, on a telephone, in the dark, in two languages."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from deploy.local.stack import Stack
from shared.web.auth import SCOPES
from tests.e2e.authoring import complaints
from tests.e2e.everybody import obstacles, settled, violations
from tests.e2e.visitor import visiting
from tests.integration import emission, shop
from tests.integration.emission import author, instrument_of, new_id, ok, plan_of

CYRILLIC = "[\u0400-\u04ff]"


def much(store_id: str) -> dict[str, Any]:
    """An instrument with everything that takes room: nested conditions, products, tiers, gifts, limits."""
    sweets = {"groups": ["sweets"], "brands": ["Bounty"], "exclude": {"skus": ["4823077"]}}
    evening = {"kind": "time_of_day", "starts": "18:00", "ends": "22:00"}
    weekend = {"kind": "not", "condition": {"kind": "weekday", "days": ["sat", "sun"]}}
    enough = {
        "kind": "product_quantity",
        "products": sweets,
        "compare": {"op": ">=", "value": 1250},
    }
    between = {"op": "between", "value": 10_000, "upper": 90_000}
    set_of_two = [{"products": sweets, "quantity": 2000}, {"products": {}, "quantity": 1000}]
    return {
        "instrument_id": new_id("much"),
        "name": "Sweet evenings",
        "conditions": [
            {
                "kind": "any",
                "conditions": [enough, {"kind": "all", "conditions": [evening, weekend]}],
            },
            {"kind": "receipt_total", "compare": between},
            {"kind": "product_mix", "parts": set_of_two},
            {"kind": "store", "stores": [store_id]},
            {"kind": "birthday", "days_before": 3, "days_after": 3},
            {
                "kind": "near",
                "latitude_e6": 50_450_100,
                "longitude_e6": 30_523_400,
                "radius_m": 500,
            },
        ],
        "benefit": {
            "kind": "tiers",
            "products": sweets,
            "tiers": [
                {"at_least": 30_000, "benefit": {"kind": "percent_off", "percent": 500}},
                {
                    "at_least": 50_000,
                    "benefit": {"kind": "gift_goods", "gifts": [{"sku": "4823078", "value": 100}]},
                },
            ],
        },
        "limits": [{"per": ["customer", "day"], "redemptions": 1}, {"money": 5_000_000}],
    }


@pytest.fixture(scope="module")
async def paths(stack: Stack) -> dict[str, str]:
    """Pages of things that are there, by what they are."""
    [store_id] = await shop.open_store(stack)
    instrument = much(store_id)
    emission_id = await shop.post_word(stack, emission.new_word())
    simple = instrument_of(emission_id)
    plan = plan_of(instrument, simple, stores=[store_id])
    plan |= {"limits": [{"money": 10_000_000}, {"per": ["customer"], "redemptions": 3}]}
    async with author(stack) as client:
        for one in (instrument, simple):
            ok(await client.post("/v1/instruments", json=one), 201)
        ok(await client.post("/v1/campaigns", json=plan), 201)
        ok(await client.post(f"/v1/campaigns/{plan['campaign_id']}/start"))
    campaign = f"/campaigns/{plan['campaign_id']}"
    return {
        "campaign": campaign,
        "history": f"{campaign}?tab=history",
        "try": f"{campaign}?tab=try",
        "backtest": f"{campaign}?tab=backtest",
        "limits": f"{campaign}?tab=limits",
        "instrument": f"/instruments/{instrument['instrument_id']}",
        "emission": f"/emissions/{emission_id}",
        "groups": "/stores?tab=groups",
    }


SHOWN = ("campaign", "history", "try", "backtest", "limits", "instrument", "emission", "groups")


@pytest.mark.parametrize("shown", SHOWN)
async def test_a_full_page_is_for_everybody(
    browser: Browser, stack: Stack, paths: dict[str, str], shown: str
) -> None:
    async with visiting(browser, stack, SCOPES) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}{paths[shown]}")
        assert await obstacles(page, afresh=True) == []
        assert complaints(visitor) == []


async def test_what_unfolds_is_for_everybody(
    browser: Browser, stack: Stack, paths: dict[str, str]
) -> None:
    async with visiting(browser, stack, SCOPES, width=360, scheme="dark") as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}{paths['instrument']}")
        await settled(page)
        await page.get_by_role("combobox", name="Stores", exact=True).click()
        await expect(page.get_by_role("listbox")).to_be_visible()
        assert await violations(page) == []
        await page.get_by_role("button", name="Wrap, unwrap, duplicate: Condition 1").first.click()
        assert await violations(page) == []
        await page.get_by_role("button", name="Add a condition").last.click()
        await expect(page.get_by_role("dialog")).to_be_visible()
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("shown", SHOWN)
async def test_headings_and_buttons_are_ukrainian(
    browser: Browser, stack: Stack, paths: dict[str, str], shown: str
) -> None:
    async with visiting(browser, stack, SCOPES, locale="uk-UA") as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}{paths[shown]}")
        await settled(page)
        english = await page.locator(
            "main :is(h2, h3, label, legend, th, [role=tab], button:not([aria-label])):visible"
        ).evaluate_all(
            "(all, pattern) => all.map((one) => one.innerText.trim())"
            ".filter((text) => /[A-Za-z]{3}/.test(text) && !new RegExp(pattern).test(text))",
            CYRILLIC,
        )
        assert [text for text in english if not text.startswith("WELCOME")] == []
