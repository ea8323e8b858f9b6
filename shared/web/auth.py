"""Tokens: signed by emission (JWT, EdDSA), verified by every service with the public key alone."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal, get_args

import jwt
from fastapi import Request
from fastapi.security.utils import get_authorization_scheme_param

from shared import clock
from shared.web.problems import Problem

Scope = Literal[
    "admin",
    "campaigns:write",
    "campaigns:read",
    "codes:export",
    "quotes:write",
    "quotes:public",
    "checkouts:write",
    "leases:write",
    "ledger:read",
    "statistics:read",
]
SCOPES: frozenset[Scope] = frozenset(get_args(Scope))
ISSUER = "tillstream"
COOKIE = "tillstream_token"
LIFETIME = timedelta(hours=1)
_ALGORITHM = "EdDSA"
_LEEWAY = timedelta(seconds=30)
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Principal:
    """Who calls and what they may do."""

    subject: str
    scopes: frozenset[Scope]


class InvalidTokenError(ValueError):
    """A token that was not signed by us, is malformed, or has expired."""


def sign(
    private_pem: str, subject: str, scopes: Iterable[Scope], lifetime: timedelta, now: datetime
) -> str:
    """A token for ``subject``, valid from ``now`` for ``lifetime``; ``private_pem`` is Ed25519."""
    return jwt.encode(
        {
            "iss": ISSUER,
            "sub": subject,
            "scope": " ".join(sorted(scopes)),
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
        },
        private_pem,
        algorithm=_ALGORITHM,
    )


@dataclass(frozen=True)
class Verifier:
    """Verifies tokens with the Ed25519 public key (PEM)."""

    public_key_pem: str
    now: Callable[[], datetime] = clock.now

    def verify(self, token: str) -> Principal:
        """The token's principal; raises ``InvalidTokenError``. Scopes not known here are dropped."""
        try:
            claims = jwt.decode(
                token,
                self.public_key_pem,
                algorithms=[_ALGORITHM],
                issuer=ISSUER,
                # Times are checked below, against the clock that tests can set.
                options={
                    "require": ["exp", "iat", "sub", "scope"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            expires_at, issued_at = float(claims["exp"]), float(claims["iat"])
            scopes = str(claims["scope"]).split()
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            message = "not a valid token"
            raise InvalidTokenError(message) from error
        now = self.now().timestamp()
        if now >= expires_at:
            message = "the token has expired"
            raise InvalidTokenError(message)
        if issued_at > now + _LEEWAY.total_seconds():
            message = "the token is from the future"
            raise InvalidTokenError(message)
        return Principal(str(claims["sub"]), frozenset(s for s in SCOPES if s in scopes))


def authenticate(request: Request) -> Principal:
    """The caller, by ``Authorization: Bearer`` or the pages' cookie; raises ``Problem`` (401)."""
    verifier: Verifier = request.app.state.verifier
    scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
    if scheme.lower() != "bearer" or not token:
        token = _cookie(request)
    if not token:
        raise _unauthenticated()
    try:
        return verifier.verify(token)
    except InvalidTokenError as error:
        raise _unauthenticated(str(error)) from error


def require(scope: Scope) -> Callable[[Request], Awaitable[Principal]]:
    """A FastAPI dependency: the caller's principal, which must have ``scope``.

    Raises ``Problem``: 401 without a valid token, 403 without the scope.
    """

    async def principal(request: Request) -> Principal:
        caller = authenticate(request)
        if scope not in caller.scopes:
            raise Problem(HTTPStatus.FORBIDDEN, "Not allowed", f"This needs the scope {scope}.")
        return caller

    return principal


def _cookie(request: Request) -> str:
    """The pages' cookie. For writes only from our own pages: other sites' forms send cookies too."""
    own_page = request.headers.get("sec-fetch-site") == "same-origin"
    return request.cookies.get(COOKIE, "") if request.method in _SAFE or own_page else ""


def _unauthenticated(detail: str = "Send a token: Authorization: Bearer …") -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "Not authenticated",
        detail,
        headers={"WWW-Authenticate": 'Bearer realm="tillstream"'},
    )
