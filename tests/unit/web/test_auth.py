"""Tokens: who may do what."""

from datetime import timedelta
from typing import Annotated, Any

import jwt
import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient, Response

from shared.web import auth, problems
from shared.web.auth import (
    COOKIE,
    SCOPES,
    InvalidTokenError,
    Principal,
    Scope,
    Verifier,
    require,
    sign,
)
from tests.unit.web.tokens import NOW, keys, verifier

HOUR = timedelta(hours=1)


def _token(*scopes: Scope) -> str:
    return sign(keys().private_pem, "till-7", scopes, HOUR, NOW)


def test_a_signed_token_names_its_subject_and_scopes() -> None:
    token = _token("quotes:write", "campaigns:read")
    assert verifier().verify(token) == Principal(
        "till-7", frozenset({"quotes:write", "campaigns:read"})
    )


def test_all_scopes_fit() -> None:
    assert verifier().verify(_token(*SCOPES)).scopes == SCOPES


@pytest.mark.parametrize(("later", "valid"), [(HOUR - timedelta(seconds=1), True), (HOUR, False)])
def test_a_token_expires(later: timedelta, *, valid: bool) -> None:
    reader = Verifier(keys().public_pem, now=lambda: NOW + later)
    if valid:
        assert reader.verify(_token("admin")).subject == "till-7"
    else:
        with pytest.raises(InvalidTokenError, match="expired"):
            reader.verify(_token("admin"))


def test_a_token_of_another_signer_is_refused() -> None:
    foreign = sign(keys("theirs").private_pem, "till-7", ["admin"], HOUR, NOW)
    with pytest.raises(InvalidTokenError):
        verifier().verify(foreign)


def test_a_token_from_the_future_is_refused() -> None:
    with pytest.raises(InvalidTokenError, match="future"):
        verifier().verify(sign(keys().private_pem, "x", ["admin"], HOUR, NOW + HOUR))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 40])
def test_a_malformed_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        verifier().verify(token)


def _claims(**changes: Any) -> dict[str, Any]:
    exp = int((NOW + HOUR).timestamp())
    claims = {"iss": "tillstream", "sub": "x", "scope": "admin", "iat": exp - 3600, "exp": exp}
    return {k: v for k, v in (claims | changes).items() if v is not None}


@pytest.mark.parametrize(
    "claims",
    [
        _claims(iss="elsewhere"),
        _claims(exp=None),
        _claims(exp="soon"),
        _claims(exp=[1]),
        _claims(scope=None),
        _claims(sub=None),
    ],
)
def test_a_token_with_wrong_claims_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidTokenError):
        verifier().verify(jwt.encode(claims, keys().private_pem, algorithm="EdDSA"))


def test_an_unsigned_token_or_another_algorithm_is_refused() -> None:
    for token in (
        jwt.encode(_claims(), "", algorithm="none"),
        jwt.encode(_claims(), "k" * 64, algorithm="HS256"),
    ):
        with pytest.raises(InvalidTokenError):
            verifier().verify(token)


async def _call(method: str = "GET", headers: dict[str, str] | None = None) -> Response:
    app = FastAPI()
    app.state.verifier = verifier()
    app.state.origins = frozenset({"https://statistics.example"})
    problems.install(app)

    @app.api_route("/", methods=["GET", "POST"])
    async def who(caller: Annotated[Principal, Depends(require("codes:export"))]) -> str:
        return caller.subject

    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
        return await client.request(method, "/", headers=headers)


async def test_without_a_token_the_answer_is_401_and_says_how() -> None:
    answer = await _call()
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_without_the_scope_the_answer_is_403_and_names_it() -> None:
    answer = await _call(headers={"Authorization": f"Bearer {_token('admin')}"})
    assert answer.status_code == 403
    assert "codes:export" in answer.json()["detail"]


async def test_a_bearer_token_or_the_cookie_lets_in() -> None:
    token = _token("codes:export")
    for headers in ({"Authorization": f"bearer {token}"}, {"Cookie": f"{COOKIE}={token}"}):
        assert (await _call(headers=headers)).json() == "till-7"


async def test_the_cookie_writes_only_from_our_own_pages() -> None:
    cookie = {"Cookie": f"{COOKIE}={_token('codes:export')}"}
    assert (await _call("POST", cookie)).status_code == 401
    assert (await _call("POST", cookie | {"Sec-Fetch-Site": "cross-site"})).status_code == 401
    assert (
        await _call("POST", cookie | {"Origin": "https://elsewhere.example"})
    ).status_code == 401
    assert (await _call("POST", cookie | {"Sec-Fetch-Site": "same-origin"})).status_code == 200
    of_another_service = {"Sec-Fetch-Site": "same-site", "Origin": "https://statistics.example"}
    assert (await _call("POST", cookie | of_another_service)).status_code == 200


def test_a_token_is_verified_once_and_known_until_it_expires() -> None:
    """Its signature, that is; what a token says of time is looked at whenever it is used."""
    at = [NOW]
    reader, token = Verifier(keys().public_pem, now=lambda: at[0]), _token("admin")
    first = reader.verify(token)
    assert reader.verify(token) is first
    at[0] = NOW + HOUR
    for _ in range(2):
        with pytest.raises(InvalidTokenError, match="expired"):
            reader.verify(token)


def test_memory_does_not_grow_with_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "_MOST_KNOWN", 2)
    reader = verifier()
    tokens = [sign(keys().private_pem, f"till-{n}", ["admin"], HOUR, NOW) for n in range(3)]
    first, *_ = [reader.verify(token) for token in tokens]
    assert len(reader._known) == 2
    assert reader.verify(tokens[0]) == first
    assert reader.verify(tokens[0]) is not first
