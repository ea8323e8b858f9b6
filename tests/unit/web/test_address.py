"""Whose address counts: the peer's, unless it is a proxy that is trusted."""

from collections.abc import Sequence

import pytest
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.settings import ServiceSettings
from shared.web.address import address_of
from shared.web.service import configuration


async def _who(request: Request) -> Response:
    return PlainTextResponse(address_of(request) or "nobody")


def settings(trusted: str) -> ServiceSettings:
    return ServiceSettings(
        kafka="k",
        database=SecretStr("d"),
        http_port=1,
        verify_key="v",
        trusted_proxies=trusted,
    )


async def caller(peer: str, forwarded: Sequence[str] = (), trusted: str = "") -> str:
    server = configuration(Starlette(routes=[Route("/", _who)]), settings(trusted))
    server.load()
    headers = [("X-Forwarded-For", value) for value in forwarded]
    async with AsyncClient(
        transport=ASGITransport(app=server.loaded_app, client=(peer, 5)), base_url="http://test"
    ) as client:
        return (await client.get("/", headers=headers)).text


async def test_the_peers_address_counts_whatever_it_says() -> None:
    assert await caller("203.0.113.5") == "203.0.113.5"
    assert await caller("203.0.113.5", ["198.51.100.1"]) == "203.0.113.5"
    assert await caller("127.0.0.1", ["198.51.100.1"]) == "127.0.0.1"


async def test_a_trusted_proxy_says_whom_it_speaks_for() -> None:
    assert await caller("10.0.0.1", ["198.51.100.1"], "10.0.0.0/8") == "198.51.100.1"
    assert await caller("10.0.0.1", ["[2001:db8::1]:443"], "10.0.0.1") == "2001:db8::1"
    assert await caller("10.0.0.1", (), "10.0.0.0/8") == "10.0.0.1"


async def test_what_stands_left_of_the_first_stranger_was_written_by_him() -> None:
    """From the right, past the proxies that are trusted, over all such headers."""
    spoofed = ["192.0.2.1, 198.51.100.1", "10.0.0.2"]
    assert await caller("10.0.0.1", spoofed, "10.0.0.0/8, 172.16.0.0/12") == "198.51.100.1"


@pytest.mark.parametrize(("peer", "forwarded"), [("", []), ("10.0.0.1", ["unknown"])])
async def test_what_is_no_address_is_nobodys(peer: str, forwarded: list[str]) -> None:
    assert await caller(peer, forwarded, "10.0.0.0/8") == "nobody"


def test_a_setting_that_is_no_network_is_refused() -> None:
    with pytest.raises(ValidationError, match="trusted_proxies"):
        settings("10.0.0.0/8, proxy.internal")
