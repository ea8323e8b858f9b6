"""Every page of the console can be used by everybody: by axe-core's rules, on a telephone, in the dark."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Browser

from deploy.local.stack import Stack
from shared.web.auth import SCOPES
from tests.e2e.everybody import obstacles
from tests.e2e.visitor import visiting

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


def _pages() -> Iterator[Any]:
    for service, paths in PAGES.items():
        for path in paths:
            yield pytest.param(service, path, id=path)


@pytest.mark.parametrize(("service", "path"), list(_pages()))
async def test_a_page_is_for_everybody(
    browser: Browser, stack: Stack, service: str, path: str
) -> None:
    scopes = () if path in ("/sign-in", "/invitation") else SCOPES
    async with visiting(browser, stack, scopes) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url(service)}{path}")
        assert await obstacles(page, afresh=True) == []
        assert (await page.title()).endswith(" · Tillstream")
        # The form asks whether there is a session still: there is none.
        asked = path == "/sign-in"
        assert (visitor.complaints_but_for(401) if asked else visitor.complaints) == []
