"""What is kept of a customer who is erased: sums, and nothing that says who it was. Pure.

Limits per customer, rewards and points keep their counts under names of no person. Recorded events keep what was
sold and given; the facts they were decided by – groups, segments, earlier purchases – go, so that they are not decided again.
"""

import re
from collections.abc import Mapping

import msgspec
import orjson
from msgspec.structs import replace

from services.evaluator.recording import SOMEBODY, decode_facts, encode_facts
from shared.topics import (
    ATTEMPTS,
    BONUSES,
    CARTS,
    DECISIONS,
    RECEIPTS,
    REDEMPTIONS,
    RETURNS,
    SALES,
    dead_letter_name,
)

AGES_OUT = tuple(
    sorted(
        [one.name for one in (ATTEMPTS, BONUSES, DECISIONS, RECEIPTS, REDEMPTIONS, RETURNS)]
        + [name for one in (CARTS, SALES) for name in (one.name, dead_letter_name(one.name))]
    )
)
"""Topics that still hold the id, each until its retention ends."""

_PERSONAL = ("customer_id", "device_id", "address", "user_agent", "location", "bonus_balance")
_OF_CUSTOMERS = re.compile(r"^(.*/~customer[a-z.]*=)([^,@]+)(.*)$")


def renamed(limit_id: str, customer_id: str, name: str) -> str:
    """A limit's id with another name in place of the customer's; others as they are."""
    found = _OF_CUSTOMERS.match(limit_id)
    if found is None or found[2] != customer_id:
        return limit_id
    return f"{found[1]}{name}{found[3]}"


class Event(msgspec.Struct, frozen=True):
    """An event as it is kept (``checkout_events``): all that may name somebody."""

    customer_id: str | None
    told_customer_id: str | None
    body: bytes
    decision: bytes | None
    answer: bytes | None
    facts: bytes | None


def without(event: Event, customer_id: str) -> Event:
    """The event without the customer, whose it is, or whom it only names.

    Of a customer's own neither device nor whereabouts remain, nor what it was decided by.
    """
    body = without_person(event.body, customer_id)
    facts = event.facts
    if body != event.body:
        facts = None
    elif facts is not None:
        facts = _without_holder(facts, customer_id)
    told = event.told_customer_id
    return Event(
        customer_id=""
        if event.customer_id == customer_id or body != event.body
        else event.customer_id,
        told_customer_id=None if told == customer_id else told,
        body=body,
        decision=without_person(event.decision, customer_id) if event.decision else None,
        answer=without_person(event.answer, customer_id) if event.answer else None,
        facts=facts,
    )


def without_person(document: bytes, customer_id: str) -> bytes:
    """A JSON document without what tells who its customer is; as it is, if that is another one."""
    fields: Mapping[str, object] = orjson.loads(document)
    if fields.get("customer_id") != customer_id:
        return document
    return orjson.dumps({name: value for name, value in fields.items() if name not in _PERSONAL})


def _without_holder(facts: bytes, customer_id: str) -> bytes:
    """Earlier versions kept whose a code was that somebody else presented."""
    found = decode_facts(facts)
    if all(code.holder != customer_id for code in found.codes):
        return facts
    codes = [
        replace(code, holder=SOMEBODY) if code.holder == customer_id else code
        for code in found.codes
    ]
    return encode_facts(replace(found, codes=tuple(codes)))
