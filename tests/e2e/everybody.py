"""Whether everybody can use a page: by axe-core's rules, on a large screen by day, on a telephone in the dark."""

from functools import cache
from typing import Any

from playwright.async_api import Page, expect

from shared.web.pages import from_npm
from tests.e2e.visitor import WITHIN_MS, Scheme

_FORMATS: tuple[tuple[int, Scheme], ...] = ((1440, "light"), (360, "dark"))
_RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
_GRAVE = ("serious", "critical")


@cache
def _axe() -> str:
    return from_npm("axe-core", "axe.min.js").read_text()


async def obstacles(page: Page, *, afresh: bool = False) -> list[str]:
    """What is in somebody's way on the open page, which follows its reader into each of the formats.

    ``afresh``: and is loaded anew in each, for what a page decides as it is opened.
    """
    found: list[str] = []
    for width, scheme in _FORMATS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=scheme)
        if afresh:
            await page.reload()
        await settled(page)
        found += await violations(page)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{wide} pixels of {width} are needed")
    return found


async def violations(page: Page) -> list[str]:
    """What axe-core holds for serious on the page as it is: the rule, and where."""
    # A page's policy refuses foreign scripts, but not what the debugger evaluates.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_axe())
    found: dict[str, Any] = await page.evaluate(f"axe.run(document, {_RULES})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in _GRAVE
        for node in one["nodes"]
    ]


async def settled(page: Page) -> None:
    """Wait until the page has drawn what it asked for."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=WITHIN_MS)
    await expect(page.locator(".skeleton, [aria-busy=true]")).to_have_count(0, timeout=WITHIN_MS)
