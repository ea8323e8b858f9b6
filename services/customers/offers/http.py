"""Policies of offers over HTTP, their offers and what they brought. Codes are never given: they go to the CRM alone."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Depends, Query, Response

from services.customers.offers import answers, backing, life, trial
from services.customers.offers.backing import Note
from services.customers.offers.policy import Cap, Policy
from services.customers.offers.store import candidates, outcomes, policies, records
from services.customers.offers.store import sales as sales_store
from services.customers.offers.store.policies import Kept
from services.customers.offers.view import Knowledge
from shared import clock
from shared.database import Connection
from shared.events.values import CustomerId, Id
from shared.web.auth import Principal, require
from shared.web.body import json_body
from shared.web.problems import FieldMessage, Problem

_READS = [Depends(require("customers:read"))]
Author = Annotated[Principal, Depends(require("customers:write"))]
Body = Annotated[Policy, Depends(json_body(Policy))]
After = Annotated[Id | None, Query(description="the last page's `next`")]
Limit = Annotated[int, Query(ge=1, le=200)]
_CONFLICTS: dict[int | str, dict[str, Any]] = {HTTPStatus.CONFLICT: {}}
_ADDED: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK: {"model": answers.PolicyView, "description": "It was there already"},
    **_CONFLICTS,
}
_MOST_CHANGES = 100
_MOST_OF_CUSTOMER = 100
_SAID: dict[backing.Finding, str] = {
    "no_campaign": "no running campaign gives anything for codes of this emission",
    "not_personal": "the emission is not personal: its codes belong to nobody",
    "other_discount": "the running campaign gives another discount for codes of this emission",
}


def routes(pool: asyncpg.Pool, knowledge: Knowledge) -> APIRouter:
    """Policies, offers, outcomes, and the cap over all policies."""
    router = APIRouter(prefix="/v1", tags=["offers"])
    _add_authoring(router, pool)
    _add_turning(router, pool)
    _add_reading(router, pool)
    _add_offers(router, pool)

    @router.post("/policies/try", dependencies=_READS)
    async def try_policy(policy: Body) -> answers.Trial:
        """Whom a policy would make an offer today, what that may cost, and why others would be made none.

        It need not be there yet. Nothing is sent and nothing is kept.
        """
        return await trial.tried(pool, knowledge, policy, clock.now())

    return router


def _add_authoring(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.post("/policies", status_code=HTTPStatus.CREATED, responses=_ADDED)
    async def add_policy(caller: Author, policy: Body, response: Response) -> answers.PolicyView:
        """Write a policy: a draft, until it is started."""
        async with pool.acquire() as connection, connection.transaction():
            is_new = await policies.add(connection, policy, caller.subject, clock.now())
            kept = await _found(connection, policy.policy_id)
            if not is_new:
                if kept.policy != policy:
                    message = "there is another policy with this id"
                    raise _conflict("policy_id", message)
                response.status_code = HTTPStatus.OK
            return await _view(connection, kept)

    @router.put("/policies/{policy_id}", responses=_CONFLICTS)
    async def edit_policy(caller: Author, policy_id: Id, policy: Body) -> answers.PolicyView:
        """Replace what a policy says. What was planned is decided about anew; what was sent goes on as it was.

        One that runs must promise what campaigns give.
        """
        if policy.policy_id != policy_id:
            message = "must be the id in the path"
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise Problem.of_field(status, "Ids differ", "policy_id", message)
        now = clock.now()
        async with pool.acquire() as connection, connection.transaction():
            kept = await _found(connection, policy_id, lock=True)
            if kept.running:
                _refuse_empty_promises(await _notes(connection, policy))
                await candidates.scan_again(connection, now.date())
            if kept.policy != policy:
                await policies.edit(connection, policy, caller.subject, now)
            return await _view(connection, await _found(connection, policy_id))


def _add_turning(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.post("/policies/{policy_id}/start", responses=_CONFLICTS)
    async def start_policy(caller: Author, policy_id: Id) -> answers.PolicyView:
        """Have a policy make offers. 409 if it promises what no running campaign gives for its codes."""
        now = clock.now()
        async with pool.acquire() as connection, connection.transaction():
            kept = await _found(connection, policy_id, lock=True)
            if not kept.running:
                _refuse_empty_promises(await _notes(connection, kept.policy))
                await policies.turn(connection, policy_id, "running", caller.subject, now)
                await candidates.scan_again(connection, now.date())
            return await _view(connection, await _found(connection, policy_id))

    @router.post("/policies/{policy_id}/pause")
    async def pause_policy(caller: Author, policy_id: Id) -> answers.PolicyView:
        """Have a policy make no more offers. Codes that were sent go on until their end; what was not sent is withdrawn."""
        async with pool.acquire() as connection, connection.transaction():
            kept = await _found(connection, policy_id, lock=True)
            if kept.running:
                await policies.turn(connection, policy_id, "paused", caller.subject, clock.now())
            return await _view(connection, await _found(connection, policy_id))

    @router.put("/offer-cap")
    async def set_cap(caller: Author, cap: Annotated[Cap, Depends(json_body(Cap))]) -> Cap:
        """Set how many offers a customer may have within how many days, of all policies together."""
        async with pool.acquire() as connection, connection.transaction():
            await policies.set_cap(connection, cap, caller.subject, clock.now())
        return cap


def _add_reading(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.get("/policies", dependencies=_READS)
    async def all_policies() -> answers.Policies:
        """All policies with what became of their offers, and the cap over all of them."""
        async with pool.acquire() as connection:
            found = await policies.every(connection)
            views = await _views(connection, found)
            cap = await policies.cap(connection)
        by_name = sorted(views, key=lambda one: (one.policy.name.lower(), one.policy.policy_id))
        return answers.Policies(items=tuple(by_name), cap=cap)

    @router.get("/policies/{policy_id}", dependencies=_READS)
    async def policy(policy_id: Id) -> answers.PolicyView:
        """A policy, and what became of its offers."""
        async with pool.acquire() as connection:
            return await _view(connection, await _found(connection, policy_id))

    @router.get("/policies/{policy_id}/history", dependencies=_READS)
    async def history(policy_id: Id) -> answers.Changes:
        """What was done to a policy, by whom, and what it said then; the latest first, a hundred at most."""
        async with pool.acquire() as connection:
            await _found(connection, policy_id)
            found = await policies.changes(connection, policy_id, _MOST_CHANGES)
        return answers.Changes(items=tuple(map(answers.ChangeView.of, found)))

    @router.get("/policies/{policy_id}/outcome", dependencies=_READS)
    async def outcome(policy_id: Id) -> answers.Outcomes:
        """What a policy's offers brought, against its control group: in all, and in the days of each step.

        Everybody who was begun with counts, once, by the first time; only those whose days are over.
        """
        async with pool.acquire() as connection:
            await _found(connection, policy_id)
            found = await outcomes.of_policy(connection, policy_id, clock.now())
        return answers.Outcomes(items=tuple(map(answers.OutcomeView.of, found)))

    @router.get("/offer-cap", dependencies=_READS)
    async def cap() -> Cap:
        """How many offers a customer may have within how many days, of all policies together."""
        async with pool.acquire() as connection:
            return await policies.cap(connection)


def _add_offers(router: APIRouter, pool: asyncpg.Pool) -> None:
    @router.get("/policies/{policy_id}/offers", dependencies=_READS)
    async def offers_of_policy(
        policy_id: Id,
        status: Annotated[life.Status | None, Query(description="only these")] = None,
        after: After = None,
        limit: Limit = 50,
    ) -> answers.Offers:
        """Offers of a policy, the latest first, without their codes."""
        async with pool.acquire() as connection:
            await _found(connection, policy_id)
            found = await records.of_policy(connection, policy_id, status, after, limit)
        more = found[-1].offer_id if len(found) == limit else None
        return answers.Offers(items=tuple(map(answers.OfferView.of, found)), next=more)

    @router.get("/customers/{customer_id}/offers", dependencies=_READS)
    async def offers_of_customer(customer_id: CustomerId) -> answers.Offers:
        """Offers of a customer, the latest first, without their codes; a hundred at most."""
        async with pool.acquire() as connection:
            found = await records.of_customer(connection, customer_id, _MOST_OF_CUSTOMER)
        return answers.Offers(items=tuple(map(answers.OfferView.of, found)))


async def _found(connection: Connection, policy_id: str, *, lock: bool = False) -> Kept:
    kept = await policies.one(connection, policy_id, lock=lock)
    if kept is None:
        raise Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", "policy_id", "no such policy")
    return kept


async def _notes(connection: Connection, policy: Policy) -> list[Note]:
    emissions = {step.emission_id for step in policy.steps}
    found = await sales_store.backings(connection, emissions)
    return backing.check(policy, found, clock.now())


async def _view(connection: Connection, kept: Kept) -> answers.PolicyView:
    [view] = await _views(connection, [kept])
    return view


async def _views(connection: Connection, found: Collection[Kept]) -> list[answers.PolicyView]:
    ids = [one.policy.policy_id for one in found]
    tallies = await policies.tallies(connection, ids)
    now = clock.now()
    bought = await outcomes.in_all(connection, ids, now)
    emissions = {step.emission_id for one in found for step in one.policy.steps}
    backings = await sales_store.backings(connection, emissions)
    return [
        answers.PolicyView.of(
            one,
            backing.check(one.policy, backings, now),
            tallies,
            bought.get(one.policy.policy_id),
        )
        for one in found
    ]


def _refuse_empty_promises(notes: Collection[Note]) -> None:
    """Raises ``Problem`` (409) where codes would be sent that do not give what is promised."""
    errors: list[FieldMessage] = [
        {
            "field": f"steps.{note.step - 1}."
            + ("discount" if note.finding == "other_discount" else "emission_id"),
            "message": _SAID[note.finding],
        }
        for note in notes
        if note.stops
    ]
    if errors:
        detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
        raise Problem(HTTPStatus.CONFLICT, "It promises what is not given", detail, errors)


def _conflict(field: str, message: str) -> Problem:
    return Problem.of_field(HTTPStatus.CONFLICT, "It contradicts what there is", field, message)
