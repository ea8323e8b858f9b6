"""A viewer: the dashboard in a browser of their own, what it asks for and what it shows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, expect

from tests.e2e.conftest import Analytics
from tests.e2e.visitor import WITHIN_MS, Scheme, Visitor, visiting

_DATA = """(id) => {
  const { series, yAxis } = echarts.getInstanceByDom(document.getElementById(id)).getOption();
  return { names: yAxis[0].data ?? [], values: series.map((each) => each.data) };
}"""


class Watched(Visitor):
    """The dashboard, and what it shows."""

    async def chart(self, chart: str) -> dict[str, Any]:
        """The names and the values of a chart."""
        found: dict[str, Any] = await self.page.evaluate(_DATA, chart)
        return found

    async def shows(self, card: str, figure: str) -> None:
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
        await expect(watched.page.locator("#main")).to_have_attribute("aria-busy", "false")
        yield watched
