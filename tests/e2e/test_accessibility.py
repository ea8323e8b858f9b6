"""Every page of the console can be used by everybody: by axe-core's rules, on a telephone, in the dark."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.stack import Stack
from shared.web.auth import SCOPES
from shared.web.pages import from_npm
from tests.e2e.visitor import Scheme, visiting

PAGES = {
    "emission": (
        "/campaigns",
        "/campaigns/new",
        "/instruments",
        "/instruments/new",
        "/emissions",
        "/emissions/new",
        "/products",
        "/stores",
        "/users",
        "/keys",
        "/changes",
        "/account",
        "/sign-in",
        "/invitation",
    ),
    "analytics": ("/dashboard", "/feed", "/effectiveness"),
    "evaluator": ("/certificate",),
    "customers": (
        "/customers",
        "/segments",
        "/segment",
        "/offers",
        "/policy",
        "/insights",
        "/alerts",
        "/erasures",
        "/webhooks",
    ),
}
FORMATS: tuple[tuple[int, Scheme], ...] = ((1440, "light"), (360, "dark"))
_RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
GRAVE = ("serious", "critical")


@cache
def _axe() -> str:
    return from_npm("axe-core", "axe.min.js").read_text()


async def violations(page: Page) -> list[str]:
    """What axe-core holds for serious on the page as it is: the rule, and where."""
    # A page's policy refuses foreign scripts, but not what the debugger evaluates.
    await page.evaluate(_axe())
    found: dict[str, Any] = await page.evaluate(f"axe.run(document, {_RULES})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


async def settled(page: Page) -> None:
    """Wait until the page has drawn what it asked for."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator(".skeleton, [aria-busy=true]")).to_have_count(0)


def _pages() -> Iterator[Any]:
    for service, paths in PAGES.items():
        for path in paths:
            yield pytest.param(service, path, id=path)


@pytest.mark.parametrize(("width", "scheme"), FORMATS, ids=["wide-light", "narrow-dark"])
@pytest.mark.parametrize(("service", "path"), list(_pages()))
async def test_a_page_is_for_everybody(
    browser: Browser, stack: Stack, service: str, path: str, width: int, scheme: Scheme
) -> None:
    scopes = () if path in ("/sign-in", "/invitation") else SCOPES
    async with visiting(browser, stack, scopes, width=width, scheme=scheme) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url(service)}{path}")
        await settled(page)
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert (await page.title()).endswith(" · Tillstream")
        # The form asks whether there is a session still: there is none.
        asked = path == "/sign-in"
        assert (visitor.complaints_but_for(401) if asked else visitor.complaints) == []
