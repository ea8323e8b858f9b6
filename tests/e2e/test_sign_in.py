"""Signing in to the console in a real browser: one form for the pages of all services."""

import re
import secrets

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.stack import Stack
from tests.e2e.visitor import visiting

PASSWORD = "correct horse battery"


async def sign_in(page: Page, login: str, password: str) -> None:
    """Fill the form and send it."""
    await page.get_by_label("Login").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def invited(browser: Browser, stack: Stack, role: str) -> tuple[str, str]:
    """A new user's login, and the address of the invitation, as an administrator gets them."""
    login = f"{role}-{secrets.token_hex(3)}"
    async with visiting(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/users")
        await sign_in(page, "admin", stack.secrets.admin_password)
        await page.get_by_role("button", name="Invite somebody").click()
        await page.get_by_label("Login").fill(login)
        await page.get_by_label("Name").fill("Somebody")
        await page.get_by_label("Role").select_option(role)
        await page.get_by_role("button", name="Invite", exact=True).click()
        address = await page.get_by_label(f"Invitation for {login}").last.input_value()
        # The form asks whether there is a session still: there is none.
        assert visitor.complaints_but_for(401) == []
    return login, address


async def test_who_is_not_signed_in_comes_back_to_the_page_that_was_wanted(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('evaluator')}/certificate?limit=abc")
        await sign_in(page, "admin", "not the password")
        await expect(page.get_by_role("alert")).to_contain_text("login or password is wrong")
        await sign_in(page, "admin", stack.secrets.admin_password)
        await page.wait_for_url(f"{stack.url('evaluator')}/certificate?limit=abc")
        # The same sign-in opens the pages of the other services.
        await page.goto(f"{stack.url('analytics')}/dashboard")
        assert page.url.startswith(f"{stack.url('analytics')}/dashboard")
        await page.goto(f"{stack.url('emission')}/users")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Users")


async def test_the_form_leads_to_no_other_site(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/sign-in?return_to=https://elsewhere.example/")
        await sign_in(page, "admin", stack.secrets.admin_password)
        await page.wait_for_url(re.compile(re.escape(stack.url("analytics"))))


async def test_an_invited_user_sets_a_password_and_may_do_what_the_role_allows(
    browser: Browser, stack: Stack
) -> None:
    login, address = await invited(browser, stack, "analyst")
    async with visiting(browser, stack) as visitor:
        page = visitor.page
        await page.goto(address)
        await page.get_by_label("New password").fill(PASSWORD)
        await page.get_by_label("The same again").fill(PASSWORD)
        await page.get_by_role("button", name="Set the password").click()
        await page.wait_for_url(re.compile("/dashboard"))
        answer = await page.goto(f"{stack.url('emission')}/users")
        assert answer is not None
        assert answer.status == 403
        await expect(page.get_by_role("heading", level=1)).to_have_text("Not for your role")
        await expect(page.get_by_role("link", name="API keys")).to_have_count(0)
        # The invitation was for one time.
        await page.goto("about:blank")
        await page.goto(address)
        await page.get_by_label("New password").fill(PASSWORD)
        await page.get_by_label("The same again").fill(PASSWORD)
        await page.get_by_role("button", name="Set the password").click()
        await expect(page.get_by_role("alert")).to_contain_text("was used or is over")
    async with visiting(browser, stack) as visitor:
        await visitor.page.goto(f"{stack.url('emission')}/account")
        await sign_in(visitor.page, login.upper(), PASSWORD)
        await expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Your account")


async def test_signing_out_ends_the_session(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/account")
        await sign_in(page, "admin", stack.secrets.admin_password)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
        await page.get_by_role("button", name="Sign out").click()
        await page.wait_for_url(re.compile("/sign-in"))
        await page.goto(f"{stack.url('analytics')}/dashboard")
        await page.wait_for_url(re.compile("/sign-in"))


async def test_the_console_speaks_ukrainian(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack, locale="uk-UA") as visitor:
        page = visitor.page
        await page.goto(f"{stack.url('emission')}/account")
        await expect(page.get_by_role("button", name="Увійти")).to_be_visible()
        await page.get_by_role("button", name="English").click()
        await sign_in(page, "admin", stack.secrets.admin_password)
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
        await page.get_by_role("button", name="Українська").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Ваш обліковий запис")
        assert await page.evaluate("document.documentElement.lang") == "uk"


@pytest.mark.parametrize("service", ["emission", "evaluator", "analytics"])
async def test_every_page_has_strict_headers(browser: Browser, stack: Stack, service: str) -> None:
    path = {"emission": "/users", "evaluator": "/certificate", "analytics": "/dashboard"}[service]
    async with visiting(browser, stack, ["admin", "ledger:read", "statistics:read"]) as visitor:
        answer = await visitor.page.goto(f"{stack.url(service)}{path}")
        assert answer is not None
        headers = answer.headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        assert visitor.complaints == []
