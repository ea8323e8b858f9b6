"""A viewer: the dashboard in a browser of their own, what it asks for and what it shows."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, expect

from tests.e2e.conftest import Analytics
from tests.e2e.visitor import WITHIN_MS, Scheme, Visitor, visiting

_SERIES = """(id) => {
  const { series } = echarts.getInstanceByDom(document.getElementById(id)).getOption();
  return Object.fromEntries(series.map((each) => [each.name, each.data]));
}"""
_RANKED = """(id) => [...document.querySelectorAll(`#${CSS.escape(id)} li`)].map((row) => {
  const [name, value] = row.querySelectorAll(".bar-name, .bar-value, .tile-name, b");
  return [name.textContent, value.textContent];
})"""


class Watched(Visitor):
    """The dashboard, and what it shows."""

    async def series(self, chart: str) -> dict[str, list[int]]:
        """The values of a chart over time, by series."""
        found: dict[str, list[int]] = await self.page.evaluate(_SERIES, chart)
        return found

    async def ranked(self, chart: str) -> list[tuple[str, str]]:
        """The names and figures of ranked bars, or of the tiles of regions."""
        found: list[list[str]] = await self.page.evaluate(_RANKED, chart)
        return [(name, figure) for name, figure in found]

    async def shows(self, card: str, figure: str | re.Pattern[str]) -> None:
        """Wait until the card shows the figure."""
        value = self.page.locator(f"#card-{card} [data-value]")
        await expect(value).to_have_text(figure, timeout=WITHIN_MS)


@asynccontextmanager
async def opened(
    browser: Browser, analytics: Analytics, filters: str = "", scheme: Scheme = "light"
) -> AsyncIterator[Watched]:
    """The dashboard of a signed-in viewer."""
    async with visiting(browser, analytics.stack, ["statistics:read"], scheme=scheme) as visitor:
        watched = Watched(visitor.page, visitor.asked, visitor.complaints)
        await watched.page.goto(f"{analytics.dashboard}?{filters}")
        await expect(watched.page.locator("#status")).to_have_attribute("data-state", "live")
        await expect(watched.page.locator("#figures")).to_have_attribute("aria-busy", "false")
        yield watched
