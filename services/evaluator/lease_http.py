"""Leases over HTTP: asked for, returned, looked at. A group commits at once (``group_commit``)."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from services.evaluator import requests
from services.evaluator.group_commit import GroupCommit
from services.evaluator.lease import Status
from services.evaluator.leasing import Ask, Ending, answer_of
from services.evaluator.requests import Reply, digest_of, key_of, submit
from services.evaluator.store import leases as lease_store
from services.evaluator.store import ledger
from shared.events.lease import LeasePage, LeaseRequest, LeaseState
from shared.events.values import Id
from shared.web.auth import Principal, authenticate, permit, require
from shared.web.body import json_body
from shared.web.problems import MEDIA_TYPE

_Key = Annotated[str | None, Header(alias="Idempotency-Key")]


@dataclass(frozen=True, slots=True)
class Leases:
    """Routes, whose requests are applied by ``group``."""

    pool: asyncpg.Pool
    group: GroupCommit[requests.Request[Ask], Reply]

    async def ask(
        self, asked: Ask, what: str, body: bytes, caller: Principal, key: str | None
    ) -> Response:
        """Apply what a store asks for."""
        named = key_of(caller.subject, key)
        digest = digest_of(what.encode(), b"/", body)
        reply = await submit(self.group, requests.Request(asked, named, digest))
        kind = MEDIA_TYPE if reply.status >= HTTPStatus.BAD_REQUEST else "application/json"
        return Response(reply.body, reply.status, reply.headers, kind)

    async def page(
        self, store_id: str | None, status: Status | None, after: str | None, limit: int
    ) -> LeasePage:
        """Leases in the order of their ends."""
        async with self.pool.acquire() as connection:
            now = await ledger.now(connection)
            found = await lease_store.listed(connection, store_id, status, now, after, limit)
        more = found[-1].lease_id if len(found) == limit else None
        return LeasePage(items=tuple([answer_of(one, now) for one in found]), next=more)


def routes(leases: Leases) -> APIRouter:
    """The routes of leases."""
    router = APIRouter(prefix="/v1/leases")
    writer = Depends(require("leases:write"))

    @router.post(
        "",
        response_model=LeaseState,
        responses={HTTPStatus.NOT_FOUND: {}, HTTPStatus.CONFLICT: {}},
        summary="Lease a quota of a limit, all of it or none",
    )
    async def lease(
        caller: Annotated[Principal, writer],
        request: Annotated[LeaseRequest, Depends(json_body(LeaseRequest))],
        key: _Key = None,
    ) -> Response:
        return await leases.ask(request, "leases", request.model_dump_json().encode(), caller, key)

    @router.post(
        "/{lease_id}/return",
        response_model=LeaseState,
        summary="All sales of a lease have been sent: free what is left of it",
    )
    async def end(lease_id: Id, caller: Annotated[Principal, writer], key: _Key = None) -> Response:
        return await leases.ask(Ending(lease_id), f"leases/{lease_id}/return", b"", caller, key)

    @router.get(
        "",
        response_model_exclude_none=True,
        dependencies=[Depends(_may_look)],
        summary="Leases, those that end first before the others",
    )
    async def look(
        store_id: Id | None = None,
        status: Status | None = None,
        after: Id | None = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> LeasePage:
        return await leases.page(store_id, status, after, limit)

    return router


async def _may_look(request: Request) -> None:
    """Stores may see what they lease, whoever audits the ledger may see all of it."""
    caller = authenticate(request)
    if "leases:write" not in caller.scopes:
        permit(caller, "ledger:read")
