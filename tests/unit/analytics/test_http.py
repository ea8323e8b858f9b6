"""What the statistics API and its page answer before anything is read."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from services.analytics import http
from services.analytics.changes import Changes
from shared.web import problems
from shared.web.auth import COOKIE, Scope, sign
from tests.unit.web.tokens import NOW, keys, verifier

PAGES = Path(http.__file__).parent / "pages"


class NoPool:
    """Stands for the database where nothing may be read."""

    def acquire(self) -> None:
        message = "the database was asked"
        raise AssertionError(message)


def token(*scopes: Scope, hours: int = 1) -> str:
    return sign(keys().private_pem, "marketer", scopes, timedelta(hours=hours), NOW)


@pytest.fixture(scope="module")
def app() -> FastAPI:
    app = FastAPI()
    app.state.verifier = verifier()
    problems.install(app)
    app.include_router(http.routes(cast("asyncpg.Pool", NoPool()), Changes()))
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app)
    async with AsyncClient(transport=transport, base_url="http://analytics") as opened:
        yield opened


async def totals(client: AsyncClient, **parameters: str) -> dict[str, Any]:
    answer = await client.get(
        "/v1/statistics/totals",
        params=parameters,
        headers={"Authorization": f"Bearer {token('statistics:read')}"},
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    return cast("dict[str, Any]", answer.json())


@pytest.mark.parametrize(
    ("field", "parameters"),
    [
        ("from", {"from": "yesterday"}),
        ("from", {"from": "2026-12-10T12:00:00"}),
        ("from", {"from": "0001-01-01T00:00:00Z"}),
        ("from", {"from": "1796000000"}),
        ("to", {"to": "0.5"}),
        ("to", {"from": "2026-12-10T12:00:00Z", "to": "2026-12-10T12:00:00Z"}),
        ("to", {"to": "9999-12-31T23:59:59Z"}),
        ("period", {"period": "year"}),
        ("period", {"period": "7d", "from": "2026-12-10T12:00:00Z"}),
        ("time_zone", {"time_zone": "Mars/Olympus"}),
        ("time_zone", {"time_zone": "../etc/passwd"}),
        ("campaign_id", {"campaign_id": "a b"}),
        ("store_id", {"store_id": ""}),
        ("device", {"device": "fridge"}),
        ("region", {"region": "a\x00b"}),
        ("currency", {"currency": "EURO"}),
        ("nonsense", {"nonsense": "1"}),
    ],
)
async def test_a_bad_parameter_is_named(
    client: AsyncClient, field: str, parameters: dict[str, str]
) -> None:
    problem = await totals(client, **parameters)
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/statistics/series?step=week", "step"),
        ("/v1/statistics/by/planet", "dimension"),
        ("/v1/statistics/by/store?limit=0", "limit"),
        ("/v1/statistics/instruments?limit=1001", "limit"),
        ("/v1/statistics/stream?period=fortnight", "period"),
    ],
)
async def test_each_question_names_its_bad_parameter(
    client: AsyncClient, path: str, field: str
) -> None:
    headers = {"Authorization": f"Bearer {token('statistics:read')}"}
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


QUESTIONS = [
    f"/v1/statistics/{name}"
    for name in ("totals", "series", "by/store", "instruments", "refusals", "choices", "stream")
]


@pytest.mark.parametrize("path", QUESTIONS)
async def test_statistics_need_a_token_with_their_scope(client: AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 401
    headers = {"Authorization": f"Bearer {token('campaigns:read')}"}
    assert (await client.get(path, headers=headers)).status_code == 403


async def test_a_token_in_the_address_moves_to_a_cookie_that_scripts_cannot_read(
    client: AsyncClient,
) -> None:
    mine = token("statistics:read")
    answer = await client.get("/", params={"token": mine})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={mine};")
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()  # a link from elsewhere opens the page, too
    assert "Promotions live" in (await client.get("/")).text


async def test_without_a_token_the_page_says_how_to_get_one(client: AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 401
    assert "tillstream token" in answer.text


async def test_an_expired_token_is_refused_and_not_kept(client: AsyncClient) -> None:
    answer = await client.get("/", params={"token": token("statistics:read", hours=-1)})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_a_token_for_other_work_does_not_open_the_page(client: AsyncClient) -> None:
    client.cookies.set(COOKIE, token("campaigns:read"))
    assert (await client.get("/")).status_code == 403


async def test_the_pages_allow_nothing_from_elsewhere_and_nothing_inline(
    client: AsyncClient,
) -> None:
    signed_out = await client.get("/")
    client.cookies.set(COOKIE, token("statistics:read"))
    signed_in = await client.get("/")
    for answer in (signed_out, signed_in):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=|https?://", answer.text)


async def test_every_asset_of_the_page_is_served_to_be_kept(client: AsyncClient) -> None:
    client.cookies.set(COOKIE, token("statistics:read"))
    page = (await client.get("/")).text
    addresses = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)
    prefix = addresses[0].rsplit("/", 1)[0]
    imported = {
        f"{prefix}/{name}"
        for script in PAGES.glob("*.js")
        for name in re.findall(r'from "\./([^"]+)"', script.read_text())
    }
    ours = sorted({a for a in addresses if "echarts" not in a} | imported)
    assert len(ours) >= 5
    for address in ours:
        answer = await client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["dashboard.html", "..%2Fhttp.py", "nothing.js"])
async def test_only_assets_are_served(client: AsyncClient, name: str) -> None:
    assert (await client.get(f"/assets/1/{name}")).status_code == 404
