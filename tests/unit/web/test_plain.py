"""Plain routes answer as every other route does, problems included."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from httpx import ASGITransport, AsyncClient

from shared.events.values import Event, Id
from shared.web import plain
from shared.web.auth import Scope, sign
from shared.web.plain import Asked, PlainRoute
from shared.web.service import MAX_BODY_BYTES, create_app
from tests.unit.web.tokens import NOW, keys, verifier


class Hat(Event):
    """What these tests send and get."""

    hat_id: Id


async def _answer(asked: Asked) -> bytes:
    body = asked.body
    hat = Hat.model_validate_json(body)
    if hat.hat_id == "broken":
        message = "SECRET-INTERNALS"
        raise ZeroDivisionError(message)
    if hat.hat_id == "away":
        raise ConnectionRefusedError
    if hat.hat_id == "whose":
        return f'"{asked.address}"'.encode()
    return body


def _headers(scope: Scope = "quotes:write") -> dict[str, str]:
    token = sign(keys().private_pem, "till-7", [scope], timedelta(hours=1), NOW)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    """A client of an application with a plain route."""

    async def ready() -> Sequence[str]:
        return []

    app = create_app("Hats", verifier=verifier(), ready=ready)
    hats = PlainRoute("/v1/hats", ("quotes:write", "quotes:public"), _answer, Hat, Hat, "A hat")
    plain.add(app, [hats, replace(hats, path="/v1/caps", needs_body=False)])
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(
        transport=transport, base_url="http://hats", headers=_headers()
    ) as opened:
        yield opened


async def test_a_body_is_answered_with_a_body(client: AsyncClient) -> None:
    answer = await client.post("/v1/hats", json={"hat_id": "one"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"hat_id": "one"}


async def test_the_route_is_told_the_callers_address(client: AsyncClient) -> None:
    assert (await client.post("/v1/hats", json={"hat_id": "whose"})).json() == "127.0.0.1"


async def test_other_paths_are_answered_as_before(client: AsyncClient) -> None:
    assert (await client.get("/livez")).status_code == 200
    assert (await client.get("/v1/hats/one")).status_code == 404


@pytest.mark.parametrize(("name", "status"), [("broken", 500), ("away", 503)])
async def test_an_error_is_a_problem_document(client: AsyncClient, name: str, status: int) -> None:
    answer = await client.post("/v1/hats", json={"hat_id": name})
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "SECRET" not in answer.text


async def test_only_post_is_allowed(client: AsyncClient) -> None:
    answer = await client.get("/v1/hats")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_without_a_token_nothing_is_read(client: AsyncClient) -> None:
    answer = await client.post("/v1/hats", content=b"{", headers={"Authorization": ""})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_another_scope_is_not_enough(client: AsyncClient) -> None:
    answer = await client.post("/v1/hats", content=b"{", headers=_headers("ledger:read"))
    assert answer.status_code == 403


async def test_what_is_not_called_json_is_refused(client: AsyncClient) -> None:
    headers = {"content-type": "text/plain"}
    assert (await client.post("/v1/hats", content=b"{}", headers=headers)).status_code == 415


async def test_a_body_over_the_limit_is_refused_by_its_length_and_while_it_streams(
    client: AsyncClient,
) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" " * 1024 * 1024

    for content in (b" " * (MAX_BODY_BYTES + 1), stream()):
        assert (await client.post("/v1/hats", content=content)).status_code == 413


async def test_the_openapi_document_has_it_with_body_answer_and_problems(
    client: AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/hats"]["post"]
    assert operation["summary"] == "A hat"
    shown = json.dumps(operation)
    assert shown.count("#/components/schemas/Hat") == 2
    assert operation["responses"].keys() == {"200", "400", "401", "403", "413", "415", "422", "503"}
    assert document["components"]["schemas"]["Hat"]["required"] == ["hat_id"]


async def test_the_openapi_document_says_whether_a_body_is_needed(client: AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    needed = {
        path: paths[path]["post"]["requestBody"]["required"] for path in ("/v1/hats", "/v1/caps")
    }
    assert needed == {"/v1/hats": True, "/v1/caps": False}
