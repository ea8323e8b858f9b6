"""A viewer: the dashboard in a browser of their own, what it asks for and what it shows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, expect

from tests.e2e.conftest import Analytics

WITHIN_MS = 20_000
_DATA = """(id) => {
  const { series, yAxis } = echarts.getInstanceByDom(document.getElementById(id)).getOption();
  return { names: yAxis[0].data ?? [], values: series.map((each) => each.data) };
}"""


@dataclass
class Watched:
    """A page, and what it asked for and complained about."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def hosts(self) -> set[str | None]:
        """Whom it asked."""
        return {urlsplit(url).hostname for url in self.asked}

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
    browser: Browser,
    analytics: Analytics,
    filters: str = "",
    scheme: Literal["light", "dark"] = "light",
) -> AsyncIterator[Watched]:
    """The dashboard of a signed-in viewer."""
    context = await browser.new_context(
        viewport={"width": 1440, "height": 900},
        locale="en-GB",
        timezone_id="Europe/Vienna",
        color_scheme=scheme,
    )
    page = await context.new_page()
    watched = Watched(page)

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            watched.complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on("request", lambda request: watched.asked.append(request.url))
    await page.goto(analytics.entrance)
    assert "token" not in page.url
    if filters:
        await page.goto(f"{analytics.url}/?{filters}")
    await expect(page.locator("#status")).to_have_attribute("data-state", "live")
    await expect(page.locator("#main")).to_have_attribute("aria-busy", "false")
    yield watched
    await context.close()
