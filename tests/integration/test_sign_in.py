"""Signing in, on the real service: sessions, invitations, lock-outs, what is written down of it."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from deploy.local.stack import Stack
from services.emission.lockout import FREE
from shared.web.auth import COOKIE, Verifier
from tests.integration.emission import author, ok

PASSWORD = "correct horse battery"
FROM_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def page(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the console's page."""
    async with httpx.AsyncClient(
        base_url=stack.url("emission"), headers=FROM_PAGE, trust_env=False, timeout=30
    ) as opened:
        yield opened


async def user(stack: Stack, role: str = "marketer") -> tuple[str, str]:
    """A new user who was invited: login, and the secret of the invitation."""
    login = f"{role}-{secrets.token_hex(4)}"
    async with author(stack) as admin:
        body = {"login": login, "name": "Somebody", "role": role}
        made = ok(await admin.post("/v1/users", json=body), 201)
    return login, made["secret"]


async def accepted(stack: Stack, page: httpx.AsyncClient, role: str = "marketer") -> str:
    """A user with ``PASSWORD``, signed in."""
    login, secret = await user(stack, role)
    body = {"secret": secret, "password": PASSWORD}
    ok(await page.post("/v1/session/invitation", json=body))
    return login


async def changes(stack: Stack, kind: str, thing: str) -> list[dict[str, Any]]:
    """What was written down of a thing, oldest first."""
    connection = await asyncpg.connect(stack.database("emission"))
    try:
        rows = await connection.fetch(
            "select * from changes where kind = $1 and id = $2 order by change_id", kind, thing
        )
    finally:
        await connection.close()
    return [dict(row) for row in rows]


async def test_the_cookie_holds_a_token_of_the_role_that_scripts_cannot_read(
    stack: Stack, page: httpx.AsyncClient
) -> None:
    login = await accepted(stack, page, "analyst")
    answer = await page.post("/v1/session", json={"login": login, "password": PASSWORD})
    assert ok(answer)["role"] == "analyst"
    for cookie in answer.headers.get_list("set-cookie"):
        assert "httponly" in cookie.lower()
        assert "samesite" in cookie.lower()
    caller = Verifier(stack.secrets.verify_key).verify(answer.cookies[COOKIE])
    assert caller.subject == f"user:{login}"
    assert caller.scopes == {
        "campaigns:read",
        "statistics:read",
        "ledger:read",
        "customers:read",
    }


async def test_only_our_own_pages_sign_in(stack: Stack, page: httpx.AsyncClient) -> None:
    body = {"login": "admin", "password": stack.secrets.admin_password}
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
    assert (await page.post("/v1/session", json=body, headers=foreign)).status_code == 403
    of_statistics = {"Sec-Fetch-Site": "same-site", "Origin": stack.url("analytics")}
    assert (await page.post("/v1/session", json=body, headers=of_statistics)).status_code == 200


async def test_a_cookie_changes_nothing_for_another_site(
    stack: Stack, page: httpx.AsyncClient
) -> None:
    await accepted(stack, page)
    body = {"emission_id": "e", "name": "E", "kind": "mass", "word": "FORGED"}
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
    assert (await page.post("/v1/emissions", json=body, headers=foreign)).status_code == 401
    assert (await page.get("/v1/emissions")).status_code == 200


async def test_who_guesses_is_locked_out_also_of_a_login_that_nobody_has(
    stack: Stack, page: httpx.AsyncClient
) -> None:
    login = await accepted(stack, page)
    nobody = f"nobody-{secrets.token_hex(4)}"
    for one in (login, nobody):
        wrong = {"login": one, "password": "guess"}
        answers = [await page.post("/v1/session", json=wrong) for _ in range(FREE["login"] + 1)]
        assert [answer.status_code for answer in answers] == [401] * FREE["login"] + [429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert answers[0].json() == {
            "type": "about:blank",
            "title": "Not authenticated",
            "status": 401,
            "detail": "login or password is wrong",
            "errors": [{"field": "password", "message": "login or password is wrong"}],
        }
    right = {"login": login, "password": PASSWORD}
    assert (await page.post("/v1/session", json=right)).status_code == 429


async def test_a_session_gives_new_tokens_until_it_ends(
    stack: Stack, page: httpx.AsyncClient
) -> None:
    await accepted(stack, page)
    assert (await page.post("/v1/session/renew")).status_code == 200
    assert (await page.delete("/v1/session")).status_code == 204
    assert (await page.post("/v1/session/renew")).status_code == 401


async def test_who_is_disabled_or_has_another_role_is_signed_out(
    stack: Stack, page: httpx.AsyncClient
) -> None:
    login = await accepted(stack, page)
    async with author(stack) as admin:
        body = {"name": "Somebody", "role": "analyst"}
        ok(await admin.put(f"/v1/users/{login}", json=body))
        assert (await page.post("/v1/session/renew")).status_code == 401
        right = {"login": login, "password": PASSWORD}
        assert ok(await page.post("/v1/session", json=right))["role"] == "analyst"
        ok(await admin.put(f"/v1/users/{login}", json=body | {"disabled": True}))
    assert (await page.post("/v1/session/renew")).status_code == 401
    assert (await page.post("/v1/session", json=right)).status_code == 401


async def test_an_invitation_works_once_and_gives_a_forgotten_password_back(
    stack: Stack, page: httpx.AsyncClient
) -> None:
    login, secret = await user(stack)
    async with author(stack) as admin:
        again = ok(await admin.post(f"/v1/users/{login}/invitation"))["secret"]
    late = {"secret": secret, "password": PASSWORD}
    assert (await page.post("/v1/session/invitation", json=late)).status_code == 409
    right = {"secret": again, "password": PASSWORD}
    assert (await page.post("/v1/session/invitation", json=right)).status_code == 200
    assert (await page.post("/v1/session/invitation", json=right)).status_code == 409


async def test_a_password_is_changed_by_who_knows_the_old_one(
    stack: Stack, page: httpx.AsyncClient
) -> None:
    login = await accepted(stack, page)
    wrong = {"old": "something else", "new": "another password"}
    answer = await page.put("/v1/session/password", json=wrong)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "old")
    right = {"old": PASSWORD, "new": "another password"}
    assert (await page.put("/v1/session/password", json=right)).status_code == 204
    credentials = {"login": login, "password": "another password"}
    assert (await page.post("/v1/session", json=credentials)).status_code == 200


async def test_an_administrator_is_always_left(stack: Stack, page: httpx.AsyncClient) -> None:
    other = await accepted(stack, page, "administrator")
    async with author(stack) as admin:
        administrators = [
            one["login"]
            for one in ok(await admin.get("/v1/users?limit=1000"))["items"]
            if one["role"] == "administrator" and not one["disabled"]
        ]
        assert {"admin", other} <= set(administrators)
        analyst = {"name": "Somebody", "role": "analyst"}
        for login in administrators:
            if login != "admin":
                ok(await admin.put(f"/v1/users/{login}", json=analyst))
        answer = await admin.put("/v1/users/admin", json=analyst)
    assert answer.status_code == 409
    assert "last administrator" in answer.json()["detail"]


async def test_what_is_done_is_written_down_and_stays(
    stack: Stack, page: httpx.AsyncClient
) -> None:
    login = await accepted(stack, page)
    [invited] = await changes(stack, "user", login)
    assert (invited["actor"], invited["action"]) == ("author", "invited")
    [entry] = await changes(stack, "session", login)
    assert (entry["actor"], entry["action"]) == (f"user:{login}", "accepted the invitation")
    connection = await asyncpg.connect(stack.database("emission"))
    try:
        for statement in ("update changes set actor = 'me'", "delete from changes"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()
