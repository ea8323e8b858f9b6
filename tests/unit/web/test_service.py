"""What every service's HTTP side does, seen from outside through ASGI."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Self

import pytest
from fastapi import Depends, FastAPI, Request
from httpx import ASGITransport, AsyncClient
from prometheus_client import REGISTRY
from pydantic import model_validator

from shared.events.values import Event, Id, Money, Text
from shared.web import service
from shared.web.body import json_body
from shared.web.problems import Problem
from shared.web.service import MAX_BODY_BYTES, BackgroundEndedError, background, create_app
from tests.unit.web.tokens import verifier
from tests.waiting import until


class Coat(Event):
    """A body for these tests."""

    coat_id: Id
    price: Money
    upper: Money | None = None
    note: Text | None = None
    sizes: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _upper_is_not_below(self) -> Self:
        if self.upper is not None and self.upper < self.price:
            message = "upper: must not be below price"
            raise ValueError(message)
        if len(set(self.sizes)) < len(self.sizes):
            message = "sizes.1: given twice"
            raise ValueError(message)
        return self


def _app(missing: Sequence[str] = ()) -> FastAPI:
    async def ready() -> Sequence[str]:
        return missing

    larger = {"/v1/coats/many": MAX_BODY_BYTES + 10}
    app = create_app("Coats", verifier=verifier(), ready=ready, larger_bodies=larger)

    @app.post("/v1/coats")
    async def add(coat: Annotated[Coat, Depends(json_body(Coat))]) -> dict[str, Any]:
        return {"coat_id": coat.coat_id}

    @app.post("/v1/coats/many")
    async def many(request: Request) -> int:
        return len(await request.body())

    @app.get("/v1/coats/{coat_id}")
    async def get(coat_id: Id, size: int = 1) -> dict[str, Any]:
        if coat_id == "away":
            raise ConnectionRefusedError
        if coat_id == "broken":
            message = "SECRET-INTERNALS"
            raise ZeroDivisionError(message)
        raise Problem.of_field(404, "No such coat", "coat_id", f"none of size {size}")

    return app


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    """A client of the application."""
    transport = ASGITransport(_app(), raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://coats") as one:
        yield one


def _fields(document: dict[str, Any]) -> list[str]:
    return [error["field"] for error in document["errors"]]


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (b'{"coat_id": "c1", "price": 5}', 200, None),
        (b'{"coat_id": "c1", "price": 5, "sizes": [7, 7]}', 422, ["sizes.1"]),
        (b"{", 400, [""]),
        (b"", 400, [""]),
        (b"\xff\xfe", 400, [""]),
        (b"[]", 422, [""]),
        (b'{"price": 5}', 422, ["coat_id"]),
        (b'{"coat_id": "c1", "price": "5"}', 422, ["price"]),
        (b'{"coat_id": "c1", "price": 5.5}', 422, ["price"]),
        (b'{"coat_id": "c1", "price": 5, "colour": "red"}', 422, ["colour"]),
        (b'{"coat_id": "c\\u0000", "price": 5}', 422, ["coat_id"]),
        (b'{"coat_id": "c1", "price": 5, "note": "a\\u0000"}', 422, ["note"]),
        (b'{"coat_id": "c1", "price": 5, "upper": 4}', 422, ["upper"]),
        (b'{"coat_id": "", "price": -1}', 422, ["coat_id", "price"]),
    ],
)
async def test_a_bad_body_is_refused_naming_every_field(
    client: AsyncClient, body: bytes, status: int, fields: list[str] | None
) -> None:
    answer = await client.post("/v1/coats", content=body)
    assert answer.status_code == status
    if fields is not None:
        assert answer.headers["content-type"] == "application/problem+json"
        assert _fields(answer.json()) == fields
        assert set(answer.json()) == {"type", "title", "status", "detail", "errors"}


async def test_a_refused_value_is_not_repeated(client: AsyncClient) -> None:
    answer = await client.post("/v1/coats", json={"coat_id": "ann@example.org", "price": 1})
    assert answer.status_code == 422
    assert "example.org" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/v1/coats", 405),
        ("GET", "/v1/coats/c1", 404),
        ("GET", "/v1/coats/%00", 422),
        ("GET", "/v1/coats/c1?size=huge", 422),
        ("GET", "/v1/coats/broken", 500),
    ],
)
async def test_every_error_is_a_problem_document(
    client: AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "SECRET" not in answer.text


async def test_while_a_server_is_away_the_answer_says_when_to_try_again(
    client: AsyncClient,
) -> None:
    answer = await client.get("/v1/coats/away")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


async def test_a_wrong_parameter_is_named(client: AsyncClient) -> None:
    answer = await client.get("/v1/coats/c1?size=huge")
    assert _fields(answer.json()) == ["size"]


async def test_what_is_not_json_by_its_content_type_is_refused(client: AsyncClient) -> None:
    answer = await client.post("/v1/coats", content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


async def test_a_body_over_the_limit_is_refused_by_its_length(client: AsyncClient) -> None:
    answer = await client.post("/v1/coats", content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
    assert answer.json()["status"] == 413


async def test_a_body_over_the_limit_is_refused_while_it_streams(client: AsyncClient) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 1024 * 1024

    answer = await client.post("/v1/coats", content=stream())
    assert answer.status_code == 413


async def test_a_path_may_take_larger_bodies_up_to_a_limit_of_its_own(client: AsyncClient) -> None:
    fits = await client.post("/v1/coats/many", content=b" " * (MAX_BODY_BYTES + 10))
    assert fits.json() == MAX_BODY_BYTES + 10
    answer = await client.post("/v1/coats/many", content=b" " * (MAX_BODY_BYTES + 11))
    assert answer.status_code == 413
    assert str(MAX_BODY_BYTES + 10) in answer.json()["detail"]


async def test_readiness_says_what_is_missing(client: AsyncClient) -> None:
    assert (await client.get("/readyz")).status_code == 200
    transport = ASGITransport(_app(["the ruleset is at 3 of 9"]))
    async with AsyncClient(transport=transport, base_url="http://coats") as unready:
        answer = await unready.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "the ruleset is at 3 of 9"


async def test_liveness_and_metrics_need_no_token(client: AsyncClient) -> None:
    assert (await client.get("/livez")).status_code == 200
    assert "process_" in (await client.get("/metrics")).text


async def test_the_openapi_document_states_bodies_and_problems(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/coats"]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    assert schema["required"] == ["coat_id", "price"]
    refusals = {"400", "401", "403", "413", "415", "422", "503"}
    assert operation["responses"].keys() == {"200"} | refusals
    for status in refusals:
        name = operation["responses"][status]["$ref"].rpartition("/")[2]
        refusal = document["components"]["responses"][name]
        assert refusal["content"].keys() == {"application/problem+json"}


async def test_the_openapi_document_states_what_a_path_and_a_parameter_may_be_refused_with(
    client: AsyncClient,
) -> None:
    operation = (await client.get("/openapi.json")).json()["paths"]["/v1/coats/{coat_id}"]["get"]
    assert operation["responses"].keys() == {"200", "401", "403", "404", "422", "503"}


async def _forever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("error", [ConnectionError("broken"), asyncio.CancelledError()])
async def test_a_background_task_that_fails_stops_the_service(error: BaseException) -> None:
    """Also if a library ended it as cancelled, which is no error anybody would see."""
    stopped = asyncio.Event()

    async def fail() -> None:
        raise error

    async def serve() -> None:
        async with background(fail(), _forever(), stop=stopped.set):
            await asyncio.wait_for(stopped.wait(), 5)

    with pytest.raises(BackgroundEndedError):
        await serve()


async def test_background_tasks_end_with_the_service() -> None:
    cancelled = asyncio.Event()

    async def wait() -> None:
        try:
            await _forever()
        finally:
            cancelled.set()

    async with background(wait(), stop=asyncio.Event().set):
        await asyncio.sleep(0)
    assert cancelled.is_set()


async def test_operators_see_how_late_the_event_loop_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_LOOP_SECONDS", 0)

    def observed() -> float:
        return REGISTRY.get_sample_value("tillstream_loop_delay_seconds_count") or 0

    async def is_observed() -> bool:
        return observed() > before

    before = observed()
    async with background(stop=asyncio.Event().set):
        await until(is_observed, what="a delay observed")


async def test_a_series_is_not_doubled_by_when_it_began(client: AsyncClient) -> None:
    assert "_created" not in (await client.get("/metrics")).text
