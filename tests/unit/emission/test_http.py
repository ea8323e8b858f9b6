"""The authoring API's edge: who may call, and which bodies are refused, before anything is kept."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr

from services.emission.app import EmissionSettings, compose
from shared.web.auth import SCOPES, Scope, sign
from tests.unit.web.tokens import NOW, keys


def _settings(**secrets: str) -> EmissionSettings:
    known = {
        "signing_key": keys().private_pem,
        "admin_key": "ts_admin_" + "x" * 32,
        "code_key": "00" * 32,
        "code_cipher_key": Fernet.generate_key().decode(),
        "database": "",
    }
    given = {name: SecretStr(value) for name, value in (known | secrets).items()}
    return EmissionSettings(kafka="", http_port=0, verify_key=keys().public_pem, **given)  # type: ignore[arg-type]


def _token(*scopes: Scope) -> str:
    return sign(keys().private_pem, "author", scopes, timedelta(hours=1), NOW)


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[AsyncClient]:
    """A client of the service that has not started: whatever gets past the edge is a 503."""
    transport = ASGITransport(compose(_settings(), lambda: NOW), raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://emission") as one:
        yield one


INSTRUMENT: dict[str, Any] = {
    "instrument_id": "i1",
    "name": "10% off",
    "benefit": {"kind": "percent_off", "percent": 1000},
}
CAMPAIGN: dict[str, Any] = {
    "campaign_id": "c1",
    "name": "December",
    "time_zone": "Europe/Kyiv",
    "first_day": "2026-12-05",
    "last_day": "2026-12-31",
    "instruments": ["i1"],
}
EMISSION: dict[str, Any] = {"emission_id": "e1", "name": "E", "kind": "mass", "word": "FRIDAY"}
STORE: dict[str, Any] = {
    "store_id": "s1",
    "name": "First",
    "region": "North",
    "time_zone": "Europe/Kyiv",
    "currency": "UAH",
}
PRODUCT: dict[str, Any] = {"sku": "482", "name": "Bounty"}
POLE: dict[str, Any] = {"latitude_e6": 90_000_001, "longitude_e6": 0}
GROUP: dict[str, Any] = {"name": "Regulars", "customers": ["a1"]}
CUSTOMER: dict[str, Any] = {"customer_id": "a1", "birthday": "02-29"}
BOUND: dict[str, Any] = {"emission_id": "e1", "name": "E", "kind": "personal", "customers": ["a1"]}
KEY: dict[str, Any] = {"name": "till", "scopes": ["quotes:write"]}

E, I, C = "/v1/emissions", "/v1/instruments", "/v1/campaigns"  # noqa: E741 - as in the domain
S, G, K, U = "/v1/stores", "/v1/customer-groups/g1", "/v1/api-keys", "/v1/customers"
P, D = "/v1/products", "/v1/drafts"

REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", E, EMISSION | {"emission_id": "a b"}, "emission_id"),
    ("POST", E, EMISSION | {"emission_id": "x" * 65}, "emission_id"),
    ("POST", E, EMISSION | {"name": "x" * 201}, "name"),
    ("POST", E, EMISSION | {"name": "a\x00b"}, "name"),
    ("POST", E, EMISSION | {"name": 5}, "name"),
    ("POST", E, EMISSION | {"kind": "secret"}, "kind"),
    ("POST", E, EMISSION | {"word": "x" * 81}, "word"),
    ("POST", E, EMISSION | {"valid_from": "2026-12-05T00:00:00"}, "valid_from"),
    ("POST", E, EMISSION | {"valid_from": "soon"}, "valid_from"),
    ("POST", E, EMISSION | {"colour": "red"}, "colour"),
    ("POST", I, INSTRUMENT | {"benefit": {"kind": "percent_off", "percent": 10_001}}, "benefit."),
    ("POST", I, INSTRUMENT | {"benefit": {"kind": "percent_off", "percent": 9.5}}, "benefit."),
    ("POST", I, INSTRUMENT | {"benefit": {"kind": "magic"}}, "benefit"),
    ("POST", I, {"instrument_id": "i1", "name": "x"}, "benefit"),
    ("PUT", f"{I}/other", INSTRUMENT, "instrument_id"),
    ("POST", C, CAMPAIGN | {"first_day": "2026-13-01"}, "first_day"),
    ("POST", C, CAMPAIGN | {"first_day": 5}, "first_day"),
    ("POST", C, CAMPAIGN | {"last_day": "9999-12-31"}, "last_day"),
    ("POST", C, CAMPAIGN | {"instruments": []}, "instruments"),
    ("POST", C, CAMPAIGN | {"priority": 1001}, "priority"),
    ("POST", C, CAMPAIGN | {"comment": "a\x00"}, "comment"),
    ("POST", C, CAMPAIGN | {"stores": ["s 1"]}, "stores.0"),
    ("POST", C, CAMPAIGN | {"status": "running"}, "status"),
    ("PUT", f"{C}/other", CAMPAIGN, "campaign_id"),
    ("PUT", S, {"stores": []}, "stores"),
    ("PUT", S, {"stores": [STORE | {"currency": "XXY"}]}, "stores.0.currency"),
    ("PUT", S, {"stores": [STORE | {"region": ""}]}, "stores.0.region"),
    ("PUT", S, {"stores": [STORE | {"location": POLE}]}, "stores.0.location.latitude_e6"),
    ("PUT", S, {"stores": [STORE | {"location": [0, 0]}]}, "stores.0.location"),
    ("PUT", G, GROUP | {"customers": ["ann@example.org"]}, "customers.0"),
    ("PUT", G, GROUP | {"customers": ["+380 44 123 45 67"]}, "customers.0"),
    ("PUT", "/v1/customer-groups/%00", GROUP, "group_id"),
    ("GET", f"{U}/ann@example.org", {}, "customer_id"),
    ("PUT", P, {"products": []}, "products"),
    ("PUT", P, {"products": [PRODUCT | {"cost": 1.5}]}, "products.0.cost"),
    ("PUT", P, {"products": [PRODUCT, PRODUCT | {"cost": 5}]}, "products.1.currency"),
    ("PUT", P, {"products": [PRODUCT | {"sku": ""}]}, "products.0.sku"),
    ("PUT", P, {"products": [PRODUCT | {"attributes": {"a b": "x"}}]}, "products.0.attributes"),
    ("PUT", f"{D}/campaign/new", {"body": []}, "body"),
    ("PUT", f"{D}/campaign/a b", {"body": {}}, "id"),
    ("PUT", U, {"customers": []}, "customers"),
    ("PUT", U, {"customers": [CUSTOMER] * 20_001}, "customers"),
    ("PUT", U, {"customers": [CUSTOMER, {"customer_id": "a2"}]}, "customers.1.birthday"),
    ("PUT", U, {"customers": [CUSTOMER | {"customer_id": "a b"}]}, "customers.0.customer_id"),
    ("PUT", U, {"customers": [CUSTOMER | {"name": "Ann"}]}, "customers.0.name"),
    *(
        ("PUT", U, {"customers": [CUSTOMER, CUSTOMER | {"birthday": day}]}, "customers.1.birthday")
        for day in ("02-30", "04-31", "13-01", "00-10", "01-00", "12-32", "1-1", "2001-02-03", 229)
    ),
    ("POST", E, BOUND | {"customers": []}, "customers"),
    ("POST", E, BOUND | {"customers": ["a1", "ann@example.org"]}, "customers.1"),
    ("POST", E, BOUND | {"customers": ["a1", "a2", "a3", "a1"]}, "customers.3"),
    ("POST", E, BOUND | {"customers": ["a1", "a2"], "count": 1}, "count"),
    ("POST", E, EMISSION | {"customers": ["a1"]}, "customers"),
    ("POST", K, KEY | {"scopes": ["everything"]}, "scopes.0"),
    ("POST", K, KEY | {"scopes": []}, "scopes"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), REFUSED)
async def test_a_bad_field_is_refused_by_name(
    client: AsyncClient, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    headers = {"Authorization": f"Bearer {_token(*SCOPES)}"}
    answer = await client.request(method, path, content=json.dumps(body), headers=headers)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    named = [error["field"] for error in answer.json()["errors"]]
    assert named[0].startswith(field)
    assert {name.partition(".")[0] for name in named} == {field.partition(".")[0]}


@pytest.mark.parametrize("path", [E, I, C, K, "/v1/tokens"])
@pytest.mark.parametrize("body", [b"", b"{", b"\x00", b'{"name": "\xff"}', b'{"name": "\\ud800"}'])
async def test_what_is_not_json_is_refused(client: AsyncClient, path: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {_token(*SCOPES)}"}
    assert (await client.post(path, content=body, headers=headers)).status_code == 400


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=%00"])
async def test_a_bad_page_is_refused(client: AsyncClient, query: str) -> None:
    headers = {"Authorization": f"Bearer {_token('campaigns:read')}"}
    answer = await client.get(f"{C}?{query}", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


CALLS: list[tuple[str, str, Scope]] = [
    ("POST", E, "campaigns:write"),
    ("GET", E, "campaigns:read"),
    ("GET", f"{E}/e1", "campaigns:read"),
    ("POST", f"{E}/e1/post", "campaigns:write"),
    ("POST", f"{E}/e1/copy", "campaigns:write"),
    ("GET", f"{E}/e1/history", "campaigns:read"),
    ("GET", f"{E}/e1/codes", "codes:export"),
    ("GET", f"{E}/e1/codes/sheet", "codes:export"),
    ("POST", I, "campaigns:write"),
    ("PUT", f"{I}/i1", "campaigns:write"),
    ("GET", I, "campaigns:read"),
    ("GET", f"{I}/i1", "campaigns:read"),
    ("POST", f"{I}/check", "campaigns:write"),
    ("POST", f"{I}/i1/copy", "campaigns:write"),
    ("GET", f"{I}/i1/history", "campaigns:read"),
    ("POST", C, "campaigns:write"),
    ("PUT", f"{C}/c1", "campaigns:write"),
    ("GET", C, "campaigns:read"),
    ("GET", f"{C}/c1", "campaigns:read"),
    ("POST", f"{C}/c1/copy", "campaigns:write"),
    ("GET", f"{C}/c1/history", "campaigns:read"),
    ("POST", f"{C}/c1/start", "campaigns:write"),
    ("POST", f"{C}/c1/pause", "campaigns:write"),
    ("POST", f"{C}/c1/finish", "campaigns:write"),
    ("PUT", S, "campaigns:write"),
    ("GET", S, "campaigns:read"),
    ("PUT", P, "campaigns:write"),
    ("GET", P, "campaigns:read"),
    ("GET", f"{P}/groups", "campaigns:read"),
    ("GET", f"{P}/brands", "campaigns:read"),
    ("DELETE", f"{P}/482", "campaigns:write"),
    ("PUT", G, "campaigns:write"),
    ("GET", G, "campaigns:read"),
    ("GET", "/v1/customer-groups", "campaigns:read"),
    ("PUT", f"{D}/campaign/new", "campaigns:write"),
    ("GET", f"{D}/campaign/new", "campaigns:write"),
    ("DELETE", f"{D}/campaign/new", "campaigns:write"),
    ("GET", D, "campaigns:write"),
    ("PUT", U, "campaigns:write"),
    ("GET", f"{U}/a1", "campaigns:read"),
    ("GET", "/v1/language", "campaigns:read"),
    ("POST", K, "admin"),
    ("GET", K, "admin"),
    ("DELETE", f"{K}/k1", "admin"),
    ("GET", "/v1/changes", "admin"),
    ("POST", "/v1/users", "admin"),
    ("GET", "/v1/users", "admin"),
    ("PUT", "/v1/users/anna", "admin"),
    ("POST", "/v1/users/anna/invitation", "admin"),
]
FOR_PAGES = 5
"""Signing in and what belongs to it: by cookies, from pages of ours only."""


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
async def test_every_call_needs_its_scope(
    client: AsyncClient, method: str, path: str, scope: Scope
) -> None:
    assert (await client.request(method, path)).status_code == 401
    others = {"Authorization": f"Bearer {_token(*(SCOPES - {scope}))}"}
    assert (await client.request(method, path, headers=others)).status_code == 403
    right = {"Authorization": f"Bearer {_token(scope)}"}
    assert (await client.request(method, path, headers=right)).status_code in {200, 400, 503}


async def test_every_route_of_the_document_is_among_those_calls(client: AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    documented = sum(len(operations) for operations in paths.values())
    # And the exchange of a key, which needs no token.
    assert documented == len(CALLS) + FOR_PAGES + 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("DELETE", ""),
        ("POST", "/renew"),
        ("POST", "/invitation"),
        ("PUT", "/password"),
    ],
)
async def test_other_sites_do_not_sign_anybody_in_or_out(
    client: AsyncClient, method: str, path: str
) -> None:
    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        answer = await client.request(method, f"/v1/session{path}", headers=headers)
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "secrets", [{"admin_key": "short"}, {"code_key": "xyz"}, {"code_cipher_key": "c2hvcnQ="}]
)
def test_a_malformed_secret_stops_the_start(secrets: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"TILLSTREAM_ADMIN_KEY|hexadecimal|32 bytes"):
        compose(_settings(**secrets))


async def test_a_service_that_has_not_started_is_not_ready(client: AsyncClient) -> None:
    assert (await client.get("/readyz")).status_code == 503
