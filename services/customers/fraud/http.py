"""Alerts, blocks and rules over HTTP."""

from http import HTTPStatus
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Query, Response

from services.customers.fraud import alerting, judging
from services.customers.fraud.alerting import Verdict
from services.customers.fraud.answers import (
    Alerts,
    AlertView,
    BlockedSubject,
    Blocks,
    BlockView,
    BlockWanted,
    Learnt,
    RuleBody,
    Rules,
    RuleView,
    Said,
)
from services.customers.fraud.judging import Act, AlreadyClosedError, UnknownAlertError
from services.customers.fraud.rules import RuleName, Severity, objections
from services.customers.fraud.store import alerts as alert_store
from services.customers.fraud.store import blocks as block_store
from services.customers.fraud.store import rules as rule_store
from services.customers.fraud.store.alerts import Wanted
from services.customers.fraud.store.blocks import Blockable, Blocked
from shared import clock
from shared.database import Connection
from shared.events.customers import Alert, AlertStatus, SubjectKind
from shared.events.values import Id, Text
from shared.web.auth import Principal, require
from shared.web.body import json_body
from shared.web.problems import Problem

_READS = [Depends(require("customers:read"))]
Author = Annotated[Principal, Depends(require("customers:write"))]
_SaidBody = Annotated[Said, Depends(json_body(Said))]
_BlockBody = Annotated[BlockWanted, Depends(json_body(BlockWanted))]
_RuleBody = Annotated[RuleBody, Depends(json_body(RuleBody))]
Limit = Annotated[int, Query(ge=1, le=200)]
_CONFLICTS: dict[int | str, dict[str, Any]] = {HTTPStatus.CONFLICT: {}}
_OF_CUSTOMER = 20
_Cursor = Annotated[
    str, Query(pattern=r"^[A-Za-z0-9@+._:() -]{0,140}$", description="the last page's `next`")
]


def routes(pool: asyncpg.Pool) -> APIRouter:
    """Alerts of abuse (scope ``customers:read``), what people do about them (``customers:write``), rules and blocks."""
    router = APIRouter(prefix="/v1", tags=["alerts"])
    _add_alerts(router, pool)
    _add_verdicts(router, pool)
    _add_blocks(router, pool)
    _add_rules(router, pool)
    return router


async def of_customer(connection: Connection, customer_id: str) -> tuple[Alert, ...]:
    """The latest alerts about a customer."""
    wanted = Wanted(kind="customer", subject=customer_id)
    found = await alert_store.page(connection, wanted, _OF_CUSTOMER)
    return tuple(map(alerting.event, found))


def _add_alerts(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.get("/alerts", dependencies=_READS)
    async def alerts(
        status: AlertStatus | None = None,
        rule: Id | None = None,
        subject_kind: SubjectKind | None = None,
        subject: Text | None = None,
        severity: Severity | None = None,
        after: Annotated[Id | None, Query(description="the last page's `next`")] = None,
        limit: Limit = 50,
    ) -> Alerts:
        """Suspicions of abuse, those first seen last first."""
        wanted = Wanted(status, rule, subject_kind, severity, subject, after)
        async with pool.acquire() as connection:
            found = await alert_store.page(connection, wanted, limit)
        return Alerts(
            items=tuple(map(alerting.event, found)),
            next=found[-1].alert_id if len(found) == limit else None,
        )

    @router.get("/alerts/{alert_id}", dependencies=_READS)
    async def alert(alert_id: Id) -> AlertView:
        """An alert with its evidence, and what became of it."""
        async with pool.acquire() as connection:
            return await _view(connection, alert_id)


def _add_verdicts(router: APIRouter, pool: asyncpg.Pool) -> None:
    async def close(alert_id: str, verdict: Verdict, caller: Principal, said: Said) -> AlertView:
        act = Act(caller.subject, clock.now(), said.note)
        try:
            await judging.close(pool, alert_id, verdict, act)
        except UnknownAlertError as error:
            raise _unknown(str(error)) from error
        except AlreadyClosedError as error:
            raise Problem.of_field(
                HTTPStatus.CONFLICT, "Closed already", "alert_id", str(error)
            ) from error
        async with pool.acquire() as connection:
            return await _view(connection, alert_id)

    @router.post("/alerts/{alert_id}/confirm", responses=_CONFLICTS)
    async def confirm(caller: Author, alert_id: Id, said: _SaidBody) -> AlertView:
        """Say that it is abuse; the score learns from it. 409 if it was dismissed."""
        return await close(alert_id, "confirmed", caller, said)

    @router.post("/alerts/{alert_id}/dismiss", responses=_CONFLICTS)
    async def dismiss(caller: Author, alert_id: Id, said: _SaidBody) -> AlertView:
        """Say that it is none; the score learns from it, and the alert's block is lifted. 409 if it was confirmed.

        For 28 days the rule raises no alert about the subject, unless it gets twice as bad.
        """
        return await close(alert_id, "dismissed", caller, said)


def _add_blocks(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.get("/blocks", dependencies=_READS)
    async def blocks(after: _Cursor = "", limit: Limit = 50) -> Blocks:
        """From whom promotions are withheld, by kind and subject."""
        kind, _, subject = after.partition(":")
        async with pool.acquire() as connection:
            found = await block_store.page(connection, (kind, subject), limit)
        last = f"{found[-1].kind}:{found[-1].subject}" if len(found) == limit else None
        return Blocks(items=tuple(map(BlockView.of, found)), next=last)

    @router.put("/blocks/{subject_kind}/{subject}")
    async def block(
        caller: Author, subject_kind: Blockable, subject: BlockedSubject, wanted: _BlockBody
    ) -> BlockView:
        """Withhold promotions from a customer, a device or a cashier (``store:cashier``): within seconds at every till."""
        now = clock.now()
        blocked = Blocked(subject_kind, subject, wanted.alert_id, wanted.until, now, caller.subject)
        try:
            await judging.block(pool, blocked, Act(caller.subject, now, wanted.note))
        except UnknownAlertError as error:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise Problem.of_field(status, "No such alert", "alert_id", str(error)) from error
        return BlockView.of(blocked)

    @router.delete("/blocks/{subject_kind}/{subject}", status_code=HTTPStatus.NO_CONTENT)
    async def unblock(caller: Author, subject_kind: Blockable, subject: BlockedSubject) -> Response:
        """Lift a block."""
        act = Act(caller.subject, clock.now())
        if await judging.unblock(pool, subject_kind, subject, act) is None:
            status = HTTPStatus.NOT_FOUND
            raise Problem.of_field(status, "Not blocked", "subject", "is not blocked")
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _add_rules(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.get("/alert-rules", dependencies=_READS)
    async def rules() -> Rules:
        """The rules with their thresholds, and what the score has learnt from."""
        async with pool.acquire() as connection:
            found = await rule_store.load(connection)
            confirmed, dismissed = await alert_store.said(connection)
        return Rules(items=tuple(map(RuleView.of, found)), learnt=Learnt.of(confirmed, dismissed))

    @router.put("/alert-rules/{rule}", responses=_CONFLICTS)
    async def edit_rule(
        caller: Author,
        rule: RuleName,
        body: _RuleBody,
    ) -> RuleView:
        """Change a rule, from the next few seconds on. 409 if somebody has changed it since it was read."""
        changed = body.rule(rule)
        for field, message in objections(changed):
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise Problem.of_field(status, "The rule cannot be used", field, message)
        async with pool.acquire() as connection:
            is_saved = await rule_store.save(
                connection, changed, body.version, caller.subject, clock.now()
            )
            if not is_saved:
                message = "somebody has changed the rule since: read it again"
                raise Problem.of_field(HTTPStatus.CONFLICT, "Changed meanwhile", "version", message)
            found = await rule_store.load(connection)
        return next(RuleView.of(kept) for kept in found if kept.rule.rule == rule)


async def _view(connection: Connection, alert_id: str) -> AlertView:
    state = await alert_store.one(connection, alert_id)
    if state is None:
        raise _unknown("no alert has this id")
    history = await alert_store.history(connection, alert_id)
    block = await block_store.one(connection, state.kind, state.subject)
    return AlertView.of(state, history, block)


def _unknown(message: str) -> Problem:
    return Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", "alert_id", message)
