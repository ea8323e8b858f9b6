"""Somebody at the console, in a browser of their own: what the pages asked for and complained about."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page

from deploy.local.stack import Stack
from shared import clock
from shared.web.auth import COOKIE, Scope, sign

WITHIN_MS = 20_000
Scheme = Literal["light", "dark"]


@dataclass
class Visitor:
    """A page, and what it asked for and complained about."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def hosts(self) -> set[str | None]:
        """Whom it asked."""
        return {urlsplit(url).hostname for url in self.asked}

    def complaints_but_for(self, status: int) -> list[str]:
        """What it complained about, but for answers with a status that the page deals with itself."""
        return [one for one in self.complaints if str(status) not in one]


@asynccontextmanager
async def visiting(
    browser: Browser,
    stack: Stack,
    scopes: Iterable[Scope] = (),
    *,
    width: int = 1440,
    scheme: Scheme = "light",
    locale: str = "en-GB",
    login: str = "marketer",
) -> AsyncIterator[Visitor]:
    """A browser with a token of these scopes, as a sign-in leaves it; without scopes nobody is signed in."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        locale=locale,
        timezone_id="Europe/Vienna",
        color_scheme=scheme,
    )
    if scopes:
        key = stack.secrets.signing_key
        token = sign(key, f"user:{login}", scopes, timedelta(hours=1), clock.now())
        await context.add_cookies(
            [{"name": COOKIE, "value": token, "url": stack.url("emission"), "httpOnly": True}]
        )
    page = await context.new_page()
    visitor = Visitor(page)

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visitor.complaints.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    page.on("request", lambda request: visitor.asked.append(request.url))
    try:
        yield visitor
    finally:
        await context.close()
