"""What the statistics API and its page answer before anything is read."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from services.analytics import http, pages_http
from services.analytics.changes import Changes
from shared.web import problems
from shared.web.auth import Scope, sign
from tests.unit.web.tokens import NOW, keys, verifier

MAP = "/v1/statistics/regions.geojson"


class NoPool:
    """Stands for the database where nothing may be read."""

    def acquire(self) -> None:
        message = "the database was asked"
        raise AssertionError(message)


def token(*scopes: Scope, hours: int = 1) -> str:
    return sign(keys().private_pem, "marketer", scopes, timedelta(hours=hours), NOW)


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return serving(None)


def serving(regions: Path | None) -> FastAPI:
    """The API and the pages, with an operator's map of the regions."""
    app = FastAPI()
    app.state.verifier = verifier()
    problems.install(app)
    app.include_router(http.routes(cast("asyncpg.Pool", NoPool()), Changes()))
    app.include_router(pages_http.routes(regions))
    return app


def asking(app: FastAPI) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app), base_url="http://analytics")


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with asking(app) as opened:
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
] + [MAP]


@pytest.mark.parametrize("path", QUESTIONS)
async def test_statistics_need_a_token_with_their_scope(client: AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 401
    headers = {"Authorization": f"Bearer {token('campaigns:read')}"}
    assert (await client.get(path, headers=headers)).status_code == 403


async def test_the_operators_map_is_given_as_it_is(tmp_path: Path) -> None:
    regions = tmp_path / "regions.json"
    regions.write_text('{"type": "FeatureCollection", "features": []}')
    async with asking(serving(regions)) as client:
        answer = await client.get(MAP, headers=_reader())
        assert answer.headers["content-type"] == "application/geo+json"
        assert answer.text == regions.read_text()
        regions.unlink()
        assert (await client.get(MAP, headers=_reader())).status_code == 204


async def test_without_a_map_there_is_none(client: AsyncClient) -> None:
    assert (await client.get(MAP, headers=_reader())).status_code == 204


def _reader() -> dict[str, str]:
    return {"Authorization": f"Bearer {token('statistics:read')}"}
