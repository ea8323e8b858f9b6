"""Tokens: signed by emission (JWT, EdDSA), verified by every service with the public key alone."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal, NamedTuple, get_args

import jwt
from fastapi import Request
from fastapi.security.utils import get_authorization_scheme_param

from shared import clock
from shared.web.problems import FieldMessage, Problem

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
    "customers:read",
    "customers:write",
    "customers:erase",
]
SCOPES: frozenset[Scope] = frozenset(get_args(Scope))
ISSUER = "tillstream"
COOKIE = "tillstream_token"
LIFETIME = timedelta(hours=1)
PAGE_LIFETIME = timedelta(minutes=10)
"""Of the token in the cookie: who is signed out elsewhere reads on no longer."""
_ALGORITHM = "EdDSA"
_LEEWAY = timedelta(seconds=30)
_MOST_KNOWN = 10_000
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


class _Verified(NamedTuple):
    """What a token of ours says; its times in seconds since 1970."""

    principal: Principal
    issued_at: float
    expires_at: float


@dataclass(frozen=True)
class Verifier:
    """Verifies tokens with the Ed25519 public key (PEM).

    A signature takes as long to verify as a cart to decide. It stays true: so the last ``_MOST_KNOWN``
    tokens verified are known again. Their times are looked at whenever they are used.
    """

    public_key_pem: str
    now: Callable[[], datetime] = clock.now
    _known: OrderedDict[str, _Verified] = field(
        default_factory=OrderedDict, init=False, repr=False, compare=False
    )

    def verify(self, token: str) -> Principal:
        """The token's principal; raises ``InvalidTokenError``. Scopes not known here are dropped."""
        verified = self._known.get(token) or self._verified(token)
        now = self.now().timestamp()
        if now >= verified.expires_at:
            self._known.pop(token, None)
            message = "the token has expired"
            raise InvalidTokenError(message)
        if verified.issued_at > now + _LEEWAY.total_seconds():
            message = "the token is from the future"
            raise InvalidTokenError(message)
        if token not in self._known:
            self._remember(token, verified)
        return verified.principal

    def _verified(self, token: str) -> _Verified:
        try:
            claims = jwt.decode(
                token,
                self.public_key_pem,
                algorithms=[_ALGORITHM],
                issuer=ISSUER,
                # Times are checked by ``verify``, against the clock that tests can set.
                options={
                    "require": ["exp", "iat", "sub", "scope"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            scopes = str(claims["scope"]).split()
            principal = Principal(str(claims["sub"]), frozenset(s for s in SCOPES if s in scopes))
            return _Verified(principal, float(claims["iat"]), float(claims["exp"]))
        except (jwt.InvalidTokenError, TypeError, ValueError) as error:
            message = "not a valid token"
            raise InvalidTokenError(message) from error

    def _remember(self, token: str, verified: _Verified) -> None:
        self._known[token] = verified
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)


def authenticate(request: Request) -> Principal:
    """The caller, by ``Authorization: Bearer`` or the pages' cookie; raises ``Problem`` (401)."""
    verifier: Verifier = request.app.state.verifier
    scheme, token = get_authorization_scheme_param(request.headers.get("authorization"))
    if scheme.lower() != "bearer" or not token:
        token = _cookie(request)
    if not token:
        raise unauthenticated()
    try:
        return verifier.verify(token)
    except InvalidTokenError as error:
        raise unauthenticated(str(error)) from error


def require(scope: Scope) -> Callable[[Request], Awaitable[Principal]]:
    """A FastAPI dependency: the caller's principal, which must have ``scope``.

    Raises ``Problem``: 401 without a valid token, 403 without the scope.
    """

    async def principal(request: Request) -> Principal:
        caller = authenticate(request)
        permit(caller, scope)
        return caller

    return principal


def permit(caller: Principal, *scopes: Scope) -> None:
    """Raises ``Problem`` (403) unless the caller has one of the scopes."""
    if caller.scopes.isdisjoint(scopes):
        needed = " or ".join(scopes)
        raise Problem(HTTPStatus.FORBIDDEN, "Not allowed", f"This needs the scope {needed}.")


def _cookie(request: Request) -> str:
    """The pages' cookie. For writes only from our own pages: other sites' forms send cookies too."""
    allowed = request.method in _SAFE or is_from_our_pages(request)
    return request.cookies.get(COOKIE, "") if allowed else ""


def is_from_our_pages(request: Request) -> bool:
    """Whether a browser sent this from a page of ours: of this service, or of another one of the console.

    Browsers say so in headers that no script can set (Fetch Metadata, Origin; the OWASP cheat sheet on
    cross-site request forgery): no token within the pages is needed.
    """
    if request.headers.get("sec-fetch-site") == "same-origin":
        return True
    return request.headers.get("origin") in request.app.state.origins


def unauthenticated(
    detail: str = "Send a token: Authorization: Bearer …", errors: Sequence[FieldMessage] = ()
) -> Problem:
    """401, which says how to authenticate."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "Not authenticated",
        detail,
        errors,
        headers={"WWW-Authenticate": 'Bearer realm="tillstream"'},
    )
