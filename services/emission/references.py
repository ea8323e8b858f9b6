"""Stores, customer groups and birthdays: kept, and published where they changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

import asyncpg
import orjson
from pydantic import Field

from services.emission.posting import SOURCE
from services.emission.store import changes
from services.emission.store import references as store
from services.emission.store.changes import Change
from shared import clock, topics
from shared.codec import FieldError, InvalidMessageError, encode
from shared.database import Connection
from shared.events.reference import BirthDay, Customer, Store
from shared.events.values import CustomerId, Event, Text
from shared.outbox import Message, put
from shared.web.problems import Problem


class NewStores(Event):
    """Stores to be kept, each in place of what was known of it."""

    stores: Annotated[tuple[Store, ...], Field(min_length=1, max_length=20_000)]


class NewGroup(Event):
    """A customer group with exactly these members."""

    name: Text
    customers: Annotated[tuple[CustomerId, ...], Field(max_length=200_000)]


class KnownCustomer(Event):
    """A customer's day of birth; null: it is not known, or to be forgotten."""

    customer_id: CustomerId
    birthday: BirthDay | None


class NewCustomers(Event):
    """Birthdays to be kept, each in place of what was known of that customer's."""

    customers: Annotated[tuple[KnownCustomer, ...], Field(min_length=1, max_length=20_000)]


def faults_of_customers(customers: Sequence[KnownCustomer]) -> list[FieldError]:
    """Customers given twice, by field."""
    faults, seen = [], set()
    for position, one in enumerate(customers):
        if one.customer_id in seen:
            field = f"customers.{position}.customer_id"
            faults.append(FieldError(field, "given twice", "repeated"))
        seen.add(one.customer_id)
    return faults


def faults_of_stores(stores: Sequence[Store], zones: frozenset[str]) -> list[FieldError]:
    """Stores given twice and time zones that do not exist, by field."""
    faults, seen = [], set()
    for position, one in enumerate(stores):
        if one.store_id in seen:
            faults.append(FieldError(f"stores.{position}.store_id", "given twice", "repeated"))
        if one.time_zone not in zones:
            message = "not a time zone of the IANA database, as Europe/Kyiv"
            faults.append(FieldError(f"stores.{position}.time_zone", message, "unknown"))
        seen.add(one.store_id)
    return faults


@dataclass
class References:
    """Writes stores, groups and birthdays; raises ``Problem`` or ``InvalidMessageError``."""

    pool: asyncpg.Pool
    zones: frozenset[str]
    now: Callable[[], datetime] = clock.now

    async def save_stores(self, stores: Sequence[Store], actor: str) -> int:
        """Keep the stores; how many were new or different, which are published."""
        faults = faults_of_stores(stores, self.zones)
        if faults:
            raise InvalidMessageError(faults)
        async with self.pool.acquire() as connection, connection.transaction():
            await store.lock_reference(connection)
            changed = await store.save_stores(connection, stores)
            messages = [
                Message(topics.STORES, one.store_id.encode(), one, str(uuid4())) for one in changed
            ]
            now = self.now()
            await put(connection, messages, SOURCE, now)
            saved = [Change(actor, "saved", "store", one.store_id, _body(one)) for one in changed]
            await changes.record_all(connection, saved, now)
            return len(changed)

    async def save_group(self, group_id: str, group: NewGroup, actor: str) -> int:
        """Replace the group's members; how many came or went: they are published, all groups each."""
        async with self.pool.acquire() as connection, connection.transaction():
            await store.lock_reference(connection)
            if not await store.is_room_for_group(connection, group_id):
                message = f"there may be {store.MAX_GROUPS} groups"
                raise Problem.of_field(HTTPStatus.CONFLICT, "Too many groups", "group_id", message)
            changed = await store.save_group(connection, group_id, group.name, group.customers)
            await self._publish(connection, changed)
            body = {"name": group.name, "members": len(set(group.customers))}
            change = Change(actor, "saved", "group", group_id, body | {"changed": len(changed)})
            await changes.record(connection, change, self.now())
            return len(changed)

    async def save_birthdays(self, customers: Sequence[KnownCustomer], actor: str) -> int:
        """Keep the birthdays; how many were new or different: those customers are published."""
        faults = faults_of_customers(customers)
        if faults:
            raise InvalidMessageError(faults)
        async with self.pool.acquire() as connection, connection.transaction():
            await store.lock_reference(connection)
            changed = await store.save_birthdays(
                connection, [(one.customer_id, one.birthday) for one in customers]
            )
            await self._publish(connection, changed)
            # Nobody's id: how many they were is all that is kept of customers.
            body = {"customers": len(customers), "changed": len(changed)}
            change = Change(actor, "saved", "customer", "*", body)
            await changes.record(connection, change, self.now())
            return len(changed)

    async def customer(self, customer_id: str) -> Customer:
        """What is known of a customer; 404 if that is nothing."""
        async with self.pool.acquire() as connection:
            (customer,) = await store.customers(connection, [customer_id])
        if not customer.groups and customer.birthday is None:
            message = "neither a group nor a birthday is known"
            raise Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", "customer_id", message)
        return customer

    async def _publish(self, connection: Connection, changed: Sequence[str]) -> None:
        """Whoever changed, whole: an event of groups alone would lose the birthday."""
        messages = [
            Message(topics.CUSTOMERS, one.customer_id.encode(), one, str(uuid4()))
            for one in await store.customers(connection, changed)
        ]
        await put(connection, messages, SOURCE, self.now())


def _body(one: Store) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(encode(one))
    return body
