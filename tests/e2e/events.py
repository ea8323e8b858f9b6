"""What the evaluator and emission publish, for tests that need only that."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from shared import clock
from shared.codec import cloud_event_headers, encode
from shared.events.outcome import (
    Applied,
    DecidedLine,
    Decision,
    NotApplied,
    Reason,
    Receipt,
    ReceiptRedemption,
    RecordedLine,
    Returned,
    ReturnedLine,
    ReturnedRedemption,
)
from shared.events.reference import Store
from shared.events.values import Currency, Device, Event
from shared.outbox import NUMBER_HEADER, PRODUCER_HEADER
from shared.topics import CAMPAIGNS, DECISIONS, RECEIPTS, RETURNS, STORES, Topic, terminal_key
from tests import builders

_EUROS = Currency("EUR")

Use = tuple[str, str, int]
"""Campaign, instrument, discount (minor units)."""
Refusal = tuple[str, str, Reason]
Outcome = Decision | Receipt | Returned
_TOPICS: Mapping[type[Outcome], Topic] = {
    Decision: DECISIONS,
    Receipt: RECEIPTS,
    Returned: RETURNS,
}


@dataclass(frozen=True)
class Shop:
    """A store as its events name it."""

    store_id: str
    name: str
    region: str
    currency: Currency = _EUROS

    @property
    def event(self) -> Store:
        """Its reference data."""
        return Store(
            store_id=self.store_id,
            name=self.name,
            region=self.region,
            time_zone="Europe/Vienna",
            currency=self.currency,
        )


def decision(
    shop: Shop,
    at: datetime,
    uses: Sequence[Use] = (),
    refusals: Sequence[Refusal] = (),
    *,
    total: int,
    device: Device = "till",
) -> Decision:
    """A decided checkout of one line."""
    discount = sum(use[2] for use in uses)
    return Decision(
        decision_id=secrets.token_hex(8),
        receipt_id=secrets.token_hex(8),
        revision=0,
        intent="checkout",
        outcome="decided",
        store_id=shop.store_id,
        terminal_id="till-1",
        region=shop.region,
        device=device,
        occurred_at=at,
        decided_at=at,
        currency=shop.currency,
        ruleset_version=1,
        total=total,
        discount=discount,
        bonuses=0,
        lines=(DecidedLine(line=1, amount=total, discount=discount),),
        applied=tuple(
            Applied(campaign_id=campaign, instrument_id=instrument, discount=amount)
            for campaign, instrument, amount in uses
        ),
        not_applied=tuple(
            NotApplied(campaign_id=campaign, instrument_id=instrument, reason=reason)
            for campaign, instrument, reason in refusals
        ),
    )


def receipt(
    shop: Shop,
    at: datetime,
    uses: Sequence[Use] = (),
    *,
    total: int,
    device: Device = "till",
    bonuses: int = 0,
) -> Receipt:
    """A paid receipt of one line."""
    discount = sum(use[2] for use in uses)
    return Receipt(
        receipt_id=secrets.token_hex(8),
        store_id=shop.store_id,
        terminal_id="till-1",
        region=shop.region,
        channel="till",
        device=device,
        occurred_at=at,
        recorded_at=at,
        currency=shop.currency,
        total=total,
        discount=discount,
        paid=total - discount,
        bonuses=bonuses,
        lines=(RecordedLine(line=1, sku="s", quantity=1000, amount=total, discount=discount),),
        redemptions=tuple(
            ReceiptRedemption(
                redemption_id=secrets.token_hex(8),
                campaign_id=campaign,
                instrument_id=instrument,
                status="committed",
                discount=amount,
                bonuses=bonuses,
            )
            for campaign, instrument, amount in uses
        ),
    )


def returned(sold: Receipt, at: datetime) -> Returned:
    """All of a receipt comes back."""
    return Returned(
        return_id=secrets.token_hex(8),
        receipt_id=sold.receipt_id,
        store_id=sold.store_id,
        terminal_id=sold.terminal_id,
        sold_in=sold.store_id,
        region=sold.region,
        device=sold.device,
        sold_at=sold.occurred_at,
        occurred_at=at,
        recorded_at=at,
        currency=sold.currency,
        complete=True,
        refund=sold.paid,
        money=sold.paid,
        bonuses=0,
        bonuses_taken_back=sold.bonuses,
        lines=(ReturnedLine(line=1, quantity=1000, refund=sold.paid),),
        redemptions=tuple(
            ReturnedRedemption(
                redemption_id=used.redemption_id,
                campaign_id=used.campaign_id,
                instrument_id=used.instrument_id,
                status="returned",
                released=True,
                discount=used.discount,
                bonuses=used.bonuses,
            )
            for used in sold.redemptions
        ),
    )


@dataclass
class Publisher:
    """Sends events with the headers that a relay gives them."""

    producer: AIOKafkaProducer
    source: str = field(default_factory=lambda: str(uuid4()))
    number: int = 0

    @staticmethod
    @asynccontextmanager
    async def opened(kafka: str) -> AsyncIterator["Publisher"]:
        """A publisher while the context lasts."""
        async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
            yield Publisher(producer)

    async def shops(self, *shops: Shop) -> None:
        """Publish the stores."""
        for shop in shops:
            await self._send(STORES, shop.store_id.encode(), shop.event)
        await self.producer.flush()

    async def campaign(
        self, campaign_id: str, name: str, instruments: dict[str, str], **values: Any
    ) -> None:
        """Publish a running campaign; ``instruments`` are names by id.

        It is for a store that is nowhere: the evaluator of the stack hears of it, too, and must not give it
        to the tills of other tests.
        """
        values.setdefault("stores", ("nowhere",))
        event = builders.campaign(
            campaign_id,
            [builders.instrument(key, name=value) for key, value in instruments.items()],
            name=name,
            **values,
        )
        await self._send(CAMPAIGNS, campaign_id.encode(), event)
        await self.producer.flush()

    async def outcomes(self, *events: Outcome) -> None:
        """Publish decisions, receipts and returns."""
        for event in events:
            await self._send(
                _TOPICS[type(event)], terminal_key(event.store_id, event.terminal_id), event
            )
        await self.producer.flush()

    async def _send(self, topic: Topic, key: bytes, event: Event) -> None:
        self.number += 1
        headers = [
            *cloud_event_headers(
                secrets.token_hex(8), topic.event_type, "tillstream/test", clock.now()
            ),
            (PRODUCER_HEADER, self.source.encode()),
            (NUMBER_HEADER, str(self.number).encode()),
        ]
        await self.producer.send(topic.name, encode(event), key=key, headers=headers)
