"""Erasing a customer: what names one, what they are known by afterwards, and the report. Pure."""

import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.events.customers import Erased, ErasedTable, Erasure

KEPT_FOR = timedelta(days=30)
"""How long it is known that somebody was erased: several times as long as Kafka keeps requests."""
_CLOCKS_APART = timedelta(minutes=1)
_AGES_OUT = (
    "emission.requests.v1",
    "emission.requests.v1.dlq",
    "emission.issued.v1",
    "customers.erasures.v1",
    "customers.erasures.v1.dlq",
)
_AGES_OUT_OF_CODES = "promo.codes.v1"
_TOKEN = re.compile(r"[A-Za-z0-9@+._:()-]+")
_PUNCTUATION = ".:()-"


def known_by(customer_id: str, key: bytes) -> bytes:
    """A keyed digest of the id: whether somebody was erased can be asked, who it was cannot."""
    return hmac.digest(key, b"erased customer " + customer_id.encode(), "sha256")


def was_asked_before(requested_at: datetime, erased: datetime) -> bool:
    """Whether a request was made before the customer was to be erased; the clocks of two processes differ."""
    return requested_at <= erased + _CLOCKS_APART


def names(document: Any, customer_id: str) -> bool:
    """Whether a text of a JSON document is the id, or has it as a word."""
    for text in _texts(document):
        for token in _TOKEN.findall(text):
            if customer_id in (token, token.strip(_PUNCTUATION)):
                return True
    return False


def _texts(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, Mapping):
        for key, value in document.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(document, list):
        for one in document:
            yield from _texts(one)


def report(
    erasure: Erasure,
    deleted: Mapping[str, int],
    anonymised: Mapping[str, int],
    topic: str,
    now: datetime,
) -> Erased:
    """What was erased by table; ``topic`` has got a tombstone.

    The log of codes has the id of who held one; the others may have it, whoever it is.
    """
    tables = [ErasedTable(table=name, deleted=count) for name, count in deleted.items()]
    tables += [ErasedTable(table=name, anonymised=count) for name, count in anonymised.items()]
    held_codes = any(anonymised.values())
    return Erased(
        erasure_id=erasure.erasure_id,
        service="emission",
        tables=tuple(tables),
        tombstones=(topic,),
        ages_out=(*_AGES_OUT, *([_AGES_OUT_OF_CODES] if held_codes else [])),
        erased_at=now,
    )
