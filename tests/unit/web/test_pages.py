"""The console's pages: who sees them, and what they are told."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI, Request
from httpx import ASGITransport, AsyncClient
from starlette.responses import Response

import shared.web.pages
from shared.web.auth import COOKIE, Scope, sign
from shared.web.pages import Pages
from shared.web.service import create_app
from tests.unit.web.tokens import NOW, keys, verifier

ADDRESSES = {"emission": "https://console.example", "analytics": "https://live.example"}
SHARED = Path(shared.web.pages.__file__).parent / "pages"


def app(folder: Path, addresses: dict[str, str]) -> FastAPI:
    """A service with one page."""

    async def ready() -> tuple[str, ...]:
        return ()

    made = create_app("Pages", verifier=verifier(), ready=ready, addresses=addresses)
    router = APIRouter()
    pages = Pages("mine", folder)

    @router.get("/things")
    async def things(request: Request) -> Response:
        return pages.show(request, "campaigns:read", "things.js", styles=("things.css",))

    pages.add_assets(router)
    made.include_router(router)
    return made


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """A browser of the pages at their own address."""
    (tmp_path / "things.js").write_text("// things")
    (tmp_path / "things.css").write_text("/* things */")
    transport = ASGITransport(app(tmp_path, ADDRESSES))
    async with AsyncClient(transport=transport, base_url="https://console.example") as opened:
        yield opened


def signed_in(*scopes: Scope) -> dict[str, str]:
    token = sign(keys().private_pem, "user:anna", scopes, timedelta(minutes=10), NOW)
    return {"Cookie": f"{COOKIE}={token}"}


async def test_who_is_not_signed_in_is_sent_to_the_form_and_back(client: AsyncClient) -> None:
    answer = await client.get("/things", params={"status": "draft"})
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        "https://console.example/sign-in"
        "?return_to=https%3A%2F%2Fconsole.example%2Fthings%3Fstatus%3Ddraft"
    )


async def test_behind_one_proxy_paths_are_enough(tmp_path: Path) -> None:
    transport = ASGITransport(app(tmp_path, {}))
    async with AsyncClient(transport=transport, base_url="http://internal:8801") as client:
        answer = await client.get("/things?a=1")
    assert answer.headers["location"] == "/sign-in?return_to=%2Fthings%3Fa%3D1"


async def test_a_page_is_told_who_looks_and_where_the_services_are(client: AsyncClient) -> None:
    page = (await client.get("/things", headers=signed_in("campaigns:read"))).text
    assert 'data-login="anna"' in page
    assert 'data-scopes="campaigns:read"' in page
    assert 'data-analytics="https://live.example"' in page
    assert 'data-evaluator=""' in page
    assert re.search(r'<script src="/assets/mine/\w+/things.js" type="module">', page)


async def test_another_role_is_told_so(client: AsyncClient) -> None:
    answer = await client.get("/things", headers=signed_in("statistics:read"))
    assert answer.status_code == 403
    assert "forbidden.js" in answer.text
    assert "things.js" not in answer.text


async def test_nothing_comes_from_elsewhere_and_nothing_is_inline(client: AsyncClient) -> None:
    answer = await client.get("/things", headers=signed_in("campaigns:read"))
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "connect-src 'self' https://console.example https://live.example;" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=", answer.text)


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"Accept-Language": "de, uk-UA;q=0.8, en;q=0.5"}, "uk"),
        ({"Accept-Language": "uk", "Cookie": "tillstream_language=en"}, "en"),
        ({"Cookie": "tillstream_language=<script>"}, "en"),
    ],
)
async def test_the_language_is_the_readers(
    client: AsyncClient, headers: dict[str, str], language: str
) -> None:
    mine = signed_in("campaigns:read")
    cookies = [value for value in (mine["Cookie"], headers.get("Cookie")) if value]
    answer = await client.get("/things", headers={**headers, "Cookie": "; ".join(cookies)})
    assert f'<html lang="{language}"' in answer.text


async def test_every_asset_of_a_page_is_served_to_be_kept(client: AsyncClient) -> None:
    page = (await client.get("/things", headers=signed_in("campaigns:read"))).text
    addresses = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page))
    prefix = next(iter(addresses)).rsplit("/", 1)[0]
    scripts = (path.read_text() for path in SHARED.glob("*.js"))
    imported = {name for script in scripts for name in re.findall(r'from "\./([^"]+)"', script)}
    assert {"preact.js", "ui.js"} <= imported
    for address in addresses | {f"{prefix}/{name}" for name in imported}:
        answer = await client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["page.html", "..%2Fpages.py", "nothing.js"])
async def test_only_assets_are_served(client: AsyncClient, name: str) -> None:
    assert (await client.get(f"/assets/mine/1/{name}")).status_code == 404


async def test_pages_of_the_other_services_may_call_with_cookies_and_nobody_elses(
    client: AsyncClient,
) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    ours = await client.options("/things", headers={**asked, "Origin": "https://live.example"})
    assert ours.headers["access-control-allow-origin"] == "https://live.example"
    assert ours.headers["access-control-allow-credentials"] == "true"
    theirs = await client.options("/things", headers={**asked, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in theirs.headers
