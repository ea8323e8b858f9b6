"""What is measured of HTTP: each answer by its route's template, until it begins."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated

import pytest
from fastapi import APIRouter, Path
from httpx import ASGITransport, AsyncClient
from prometheus_client import REGISTRY
from starlette.responses import StreamingResponse

from shared.events.values import Event
from shared.metrics import HTTP_SECONDS
from shared.web import measured, plain
from shared.web.plain import Asked, PlainRoute
from shared.web.service import create_app
from tests.unit.web.tokens import verifier

Labels = Mapping[str, str]


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    """A client of an application with routes of all kinds; nothing has been measured yet."""
    HTTP_SECONDS.clear()
    measured._series.cache_clear()
    router = APIRouter(prefix="/v1")

    @router.get("/hats/{hat_id}")
    async def hat(hat_id: Annotated[str, Path()]) -> str:
        if hat_id == "broken":
            raise ZeroDivisionError
        return hat_id

    @router.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(_measured_before())

    async def answer(asked: Asked) -> bytes:
        return asked.body

    async def ready() -> Sequence[str]:
        return ["everything"]

    app = create_app("Hats", verifier=verifier(), ready=ready)
    app.include_router(router)
    plain.add(
        app, [PlainRoute("/v1/caps/{cap_id}/buy", ("quotes:write",), answer, None, Event, "Buy it")]
    )
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://hats") as opened:
        yield opened


async def _measured_before() -> AsyncIterator[str]:
    """How many streams have been measured when the first part of this one is sent."""
    yield str(_count(method="GET", route="/v1/stream", status="200"))


def _count(**labels: str) -> float:
    return REGISTRY.get_sample_value("tillstream_http_request_seconds_count", labels) or 0.0


def _measured() -> list[Labels]:
    [metric] = HTTP_SECONDS.collect()
    return [s.labels for s in metric.samples if s.name.endswith("_count")]


async def test_answers_are_told_apart_by_template_method_and_status(client: AsyncClient) -> None:
    for hat_id in ("one", "two", "broken"):
        await client.get(f"/v1/hats/{hat_id}")
    await client.post("/v1/hats/one")
    route = "/v1/hats/{hat_id}"
    assert _count(method="GET", route=route, status="200") == 2
    assert _count(method="GET", route=route, status="500") == 1
    assert _count(method="POST", route=route, status="405") == 1


async def test_plain_routes_are_measured_with_those_that_they_refuse(client: AsyncClient) -> None:
    await client.post("/v1/caps/big-one/buy")
    assert _count(method="POST", route="/v1/caps/{cap_id}/buy", status="401") == 1


async def test_whatever_is_asked_for_no_label_is_made_up_by_callers(client: AsyncClient) -> None:
    await client.get("/v1/customers/c-17")
    await client.request("BREW", "/v1/customers/c-18")
    assert _measured() == [
        {"method": "GET", "route": "unknown", "status": "404"},
        {"method": "other", "route": "unknown", "status": "404"},
    ]


async def test_a_stream_is_measured_when_it_begins(client: AsyncClient) -> None:
    assert (await client.get("/v1/stream")).text == "1.0"


async def test_probes_are_not_measured(client: AsyncClient) -> None:
    for probe in ("/livez", "/readyz", "/metrics"):
        await client.get(probe)
    assert _measured() == []
