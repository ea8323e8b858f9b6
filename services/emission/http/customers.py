"""Customers: their birthdays, and the groups that they belong to."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends

from services.emission.http.desk import (
    CONFLICTS,
    READS,
    After,
    Author,
    Desk,
    Ids,
    Limit,
    Part,
    next_of,
    not_found,
    sort_by,
)
from services.emission.references import NewCustomers, NewGroup
from services.emission.store import references as reference_store
from services.emission.views import CustomersChanged, CustomerView, Groups, GroupView, MembersView
from shared.events.values import CustomerId, Id
from shared.web.body import json_body


def customer_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Customers and their birthdays."""
    router = APIRouter(prefix="/customers")

    @router.put("")
    async def save(
        author: Author,
        new: Annotated[NewCustomers, Depends(json_body(NewCustomers))],
    ) -> CustomersChanged:
        """Keep birthdays (MM-DD), each in place of what was known; null forgets it."""
        changed = await desk().references.save_birthdays(new.customers, author.subject)
        return CustomersChanged(customers=len(new.customers), changed=changed)

    @router.get("/{customer_id}", dependencies=READS)
    async def customer(customer_id: CustomerId) -> CustomerView:
        """What is known of a customer."""
        return CustomerView.of(await desk().references.customer(customer_id))

    return router


def group_routes(desk: Callable[[], Desk]) -> APIRouter:
    """Customer groups."""
    router = APIRouter(prefix="/customer-groups")

    @router.put("/{group_id}", responses=CONFLICTS)
    async def save(
        author: Author,
        group_id: Id,
        new: Annotated[NewGroup, Depends(json_body(NewGroup))],
    ) -> GroupView:
        """Keep a group with exactly these members."""
        changed = await desk().references.save_group(group_id, new, author.subject)
        members = len(set(new.customers))
        return GroupView(group_id=group_id, name=new.name, members=members, changed=changed)

    @router.get("", dependencies=READS)
    async def groups(
        part: Part,
        sort: Annotated[str, sort_by(reference_store.GROUPS)] = "",
        group: Ids = [],  # noqa: B006 - FastAPI copies it
    ) -> Groups:
        """Groups: searched, sorted; by id where no order is asked for."""
        page = replace(part, sort=sort)
        async with desk().pool.acquire() as connection:
            found, total = await reference_store.groups(connection, page, ids=group)
        items = [GroupView(group_id=i, name=name, members=n) for i, name, n in found]
        return Groups(items=items, total=total, next=next_of(page, [i for i, _, _ in found]))

    @router.get("/{group_id}", dependencies=READS)
    async def group(group_id: Id, after: After = "", limit: Limit = 1_000) -> MembersView:
        """A group and a page of its members."""
        async with desk().pool.acquire() as connection:
            found = await reference_store.group(connection, group_id, after, limit)
        if found is None:
            raise not_found("group_id", "no such group")
        name, members = found
        return MembersView(
            group_id=group_id,
            name=name,
            customers=members,
            next=members[-1] if len(members) == limit else None,
        )

    return router
