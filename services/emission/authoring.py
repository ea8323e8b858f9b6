"""What authors do, each in one transaction: check, keep, publish."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from services.emission.campaigns import (
    Action,
    CampaignPlan,
    CampaignState,
    NotPossibleError,
    act,
    codes_not_posted,
    edit,
    emission_ids,
    event,
    faults_of_instrument,
    faults_of_plan,
    group_ids,
    is_over,
    renewed,
    store_ids,
)
from services.emission.cipher import CodeCipher
from services.emission.codes import NewEmission
from services.emission.copying import (
    CopyOfCampaign,
    CopyOfEmission,
    CopyOfInstrument,
    copy_of,
    copy_of_emission,
)
from services.emission.history import body_of_campaign, body_of_emission, body_of_instrument
from services.emission.posting import SOURCE
from services.emission.refusal import conflict, not_found, refuse, refuse_unposted
from services.emission.store import campaigns as campaign_store
from services.emission.store import changes
from services.emission.store import emissions as emission_store
from services.emission.store.campaigns import CampaignRow, InstrumentRow
from services.emission.store.changes import Change
from services.emission.store.emissions import EmissionRow
from services.emission.validation import (
    faults_in_campaign,
    faults_of_campaign,
    faults_of_codes,
    faults_of_definition,
)
from shared import clock, topics
from shared.codec import FieldError
from shared.codes import digest
from shared.database import Connection
from shared.events.promotion import EmissionSummary, Instrument
from shared.outbox import Message, put

_DONE: dict[Action, str] = {"start": "started", "pause": "paused", "finish": "finished"}


@dataclass(frozen=True)
class Checked:
    """An instrument that could be kept: whether there is one with its id, and what to think of."""

    exists: bool
    warnings: tuple[FieldError, ...]


@dataclass
class Authoring:
    """Writes emissions, instruments and campaigns; raises ``Problem`` or ``InvalidMessageError``.

    Each change is kept with who made it (``actor``) in the changes. ``zones`` are the time zones that exist. What is written answers whether it was new.
    """

    pool: asyncpg.Pool
    cipher: CodeCipher
    code_key: bytes = field(repr=False)
    zones: frozenset[str]
    now: Callable[[], datetime] = clock.now

    async def add_emission(self, new: NewEmission, actor: str) -> tuple[EmissionRow, bool]:
        """Keep a draft; the same again is the same, another with its id or word is a conflict."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            return await self._add_emission(connection, new, actor, "created")

    async def copy_emission(
        self, emission_id: str, copy: CopyOfEmission, actor: str
    ) -> tuple[EmissionRow, bool]:
        """Keep a draft like another emission: of as many new codes for the same customers, or of a new word."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            row = await self._emission(connection, emission_id)
            customers = await emission_store.all_holders(connection, row.number)
            new = copy_of_emission(row.asked, customers, copy)
            return await self._add_emission(connection, new, actor, "copied")

    async def _add_emission(
        self, connection: Connection, new: NewEmission, actor: str, action: str
    ) -> tuple[EmissionRow, bool]:
        known = await emission_store.emission(connection, new.emission_id, self.cipher)
        if known is not None:
            if not known.is_of(new):
                raise conflict("emission_id", "there is another emission with this id")
            return known, False
        now = self.now()
        number = await emission_store.add_emission(connection, new, self.cipher, actor, now)
        await self._claim_word(connection, number, new, now)
        row = await self._emission(connection, new.emission_id)
        await _record_emission(connection, row, actor, action, now)
        return row, True

    async def post_emission(self, emission_id: str, actor: str) -> EmissionRow:
        """Have the codes made and published; the same again changes nothing."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            row = await self._emission(connection, emission_id)
            if row.status != "draft":
                return row
            now = self.now()
            if row.asked.valid_until is not None and row.asked.valid_until <= now:
                raise conflict("valid_until", "the emission is over")
            await self._claim_word(connection, row.number, row.asked, now)
            await emission_store.begin_posting(connection, row.number, actor, now)
            row = await self._emission(connection, emission_id)
            await _record_emission(connection, row, actor, "posted", now)
            return row

    async def record_export(self, emission_id: str, codes: int, actor: str) -> None:
        """Codes are about to leave: who takes them, and how many, is kept first."""
        change = Change(actor, "exported", "emission", emission_id, {"codes": codes})
        async with self.pool.acquire() as connection:
            await changes.record(connection, change, self.now())

    async def _claim_word(
        self, connection: Connection, number: int, asked: NewEmission, now: datetime
    ) -> None:
        if asked.word is not None and not await emission_store.claim_word(
            connection, number, digest(asked.word, self.code_key), now
        ):
            raise conflict("word", "another live emission has this code")

    async def _emission(self, connection: Connection, emission_id: str) -> EmissionRow:
        row = await emission_store.emission(connection, emission_id, self.cipher)
        if row is None:
            raise not_found("emission", "emission_id")
        return row

    async def add_instrument(
        self, instrument: Instrument, actor: str
    ) -> tuple[InstrumentRow, bool]:
        """Keep an instrument; the same again is the same, another with its id is a conflict."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            return await self._add_instrument(connection, instrument, actor, "created")

    async def copy_instrument(
        self, instrument_id: str, copy: CopyOfInstrument, actor: str
    ) -> tuple[InstrumentRow, bool]:
        """Keep an instrument like another."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            known = await self._instrument(connection, instrument_id)
            new = copy_of(known.instrument, copy)
            return await self._add_instrument(connection, new, actor, "copied")

    async def _add_instrument(
        self, connection: Connection, instrument: Instrument, actor: str, action: str
    ) -> tuple[InstrumentRow, bool]:
        known = await campaign_store.instrument_row(connection, instrument.instrument_id)
        if known is not None:
            if known.instrument != instrument:
                raise conflict("instrument_id", "there is another instrument with this id")
            return known, False
        await self._check_instrument(connection, instrument)
        await self._save_instrument(connection, instrument, actor, action)
        return await self._instrument(connection, instrument.instrument_id), True

    async def _instrument(self, connection: Connection, instrument_id: str) -> InstrumentRow:
        row = await campaign_store.instrument_row(connection, instrument_id)
        if row is None:
            raise not_found("instrument", "instrument_id")
        return row

    async def _save_instrument(
        self, connection: Connection, instrument: Instrument, actor: str, action: str
    ) -> None:
        now = self.now()
        await campaign_store.save_instrument(connection, instrument, actor, now)
        body = body_of_instrument(instrument)
        change = Change(actor, action, "instrument", instrument.instrument_id, body)
        await changes.record(connection, change, now)

    async def edit_instrument(self, instrument: Instrument, actor: str) -> InstrumentRow:
        """Replace an instrument; started campaigns that use it are published anew."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            known = await self._instrument(connection, instrument.instrument_id)
            if known.instrument == instrument:
                return known
            await self._check_instrument(connection, instrument)
            await self._save_instrument(connection, instrument, actor, "edited")
            for state in await self._check_in_campaigns(connection, instrument):
                if state.status != "draft":
                    await self._save(connection, renewed(state), actor, "renewed")
            return await self._instrument(connection, instrument.instrument_id)

    async def check_instrument(self, instrument: Instrument) -> Checked:
        """Refuse what would not be kept, and keep nothing."""
        async with self.pool.acquire() as connection:
            row = await campaign_store.instrument_row(connection, instrument.instrument_id)
            await self._check_instrument(connection, instrument)
            if row is not None:
                await self._check_in_campaigns(connection, instrument)
            ids = emission_ids([instrument])
            used = await emission_store.emissions_of(connection, ids, self.cipher)
        posted = {one.asked.emission_id for one in used if one.status == "posted"}
        return Checked(row is not None, tuple(codes_not_posted(instrument, posted)))

    async def _check_in_campaigns(
        self, connection: Connection, instrument: Instrument
    ) -> list[CampaignState]:
        """Refuse it if it can never apply in a campaign that uses it; those that do and are not finished."""
        used = await self._summaries(connection, [instrument])
        states = await campaign_store.unfinished_campaigns_with(
            connection, instrument.instrument_id
        )
        for state in states:
            places = await campaign_store.places(connection, state.plan.stores)
            refuse(faults_in_campaign(state.plan, instrument, used, places))
        return states

    async def _check_instrument(self, connection: Connection, instrument: Instrument) -> None:
        known = await campaign_store.known(
            connection,
            self.zones,
            stores=store_ids(instrument),
            groups=group_ids(instrument),
            emission_ids=emission_ids([instrument]),
        )
        used = await self._summaries(connection, [instrument])
        refuse(
            [
                *faults_of_instrument(instrument, known),
                *faults_of_definition(instrument),
                *faults_of_codes(instrument, used),
            ]
        )

    async def _summaries(
        self, connection: Connection, instruments: Sequence[Instrument]
    ) -> dict[str, EmissionSummary]:
        rows = await emission_store.emissions_of(connection, emission_ids(instruments), self.cipher)
        return {row.asked.emission_id: row.summary for row in rows}

    async def add_campaign(self, plan: CampaignPlan, actor: str) -> tuple[CampaignRow, bool]:
        """Keep a draft; the same again is the same, another with its id is a conflict."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            return await self._add_campaign(connection, plan, actor, "created")

    async def copy_campaign(
        self, campaign_id: str, copy: CopyOfCampaign, actor: str
    ) -> tuple[CampaignRow, bool]:
        """Keep a draft with another campaign's plan."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            known = await self._campaign(connection, campaign_id)
            plan = copy_of(known.state.plan, copy)
            return await self._add_campaign(connection, plan, actor, "copied")

    async def _add_campaign(
        self, connection: Connection, plan: CampaignPlan, actor: str, action: str
    ) -> tuple[CampaignRow, bool]:
        known = await campaign_store.campaign_row(connection, plan.campaign_id)
        if known is not None:
            if known.state.plan != plan:
                raise conflict("campaign_id", "there is another campaign with this id")
            return known, False
        await self._check_plan(connection, plan)
        await self._save(connection, CampaignState(plan), actor, action)
        return await self._campaign(connection, plan.campaign_id), True

    async def edit_campaign(self, plan: CampaignPlan, actor: str) -> CampaignRow:
        """Replace the plan; a started campaign is published anew."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            row = await self._campaign(connection, plan.campaign_id)
            await self._check_plan(connection, plan)
            before, now = row.state, self.now()
            if before.status == "running" and is_over(plan, now) and not is_over(before.plan, now):
                message = "these days are over: give a later day, or finish the campaign"
                raise conflict("last_day", message)
            return await self._change(connection, row, lambda: edit(before, plan), actor, "edited")

    async def act(
        self, campaign_id: str, action: Action, actor: str, *, past: bool = False
    ) -> CampaignRow:
        """Start, pause or finish a campaign; one that is over starts only as ``past``."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            row = await self._campaign(connection, campaign_id)
            before = row.state
            if action == "start" and before.status in ("draft", "paused"):
                if is_over(before.plan, self.now()) and not past:
                    message = "the campaign is over: give a later day, or start it with ?past=true"
                    raise conflict("last_day", f"{message} for sales that come late")
                await self._check_instruments(connection, before.plan)
            done = _DONE[action]
            return await self._change(connection, row, lambda: act(before, action), actor, done)

    async def _campaign(self, connection: Connection, campaign_id: str) -> CampaignRow:
        row = await campaign_store.campaign_row(connection, campaign_id)
        if row is None:
            raise not_found("campaign", "campaign_id")
        return row

    async def _check_plan(self, connection: Connection, plan: CampaignPlan) -> None:
        known = await campaign_store.known(
            connection,
            self.zones,
            stores=plan.stores,
            groups=plan.customer_groups,
            instrument_ids=plan.instruments,
        )
        refuse(faults_of_plan(plan, known))
        await self._check_instruments(connection, plan)

    async def _check_instruments(self, connection: Connection, plan: CampaignPlan) -> None:
        """Refuse instruments that can never apply in the campaign, which must all exist."""
        found = await campaign_store.instruments(connection, plan.instruments)
        instruments = [found[instrument_id] for instrument_id in plan.instruments]
        used = await self._summaries(connection, instruments)
        places = await campaign_store.places(connection, plan.stores)
        refuse(faults_of_campaign(plan, instruments, used, places))

    async def _change(
        self,
        connection: Connection,
        before: CampaignRow,
        change: Callable[[], CampaignState],
        actor: str,
        action: str,
    ) -> CampaignRow:
        try:
            after = change()
        except NotPossibleError as error:
            raise conflict("status", str(error)) from error
        if after == before.state:
            return before
        await self._save(connection, after, actor, action)
        return await self._campaign(connection, after.plan.campaign_id)

    async def _save(
        self, connection: Connection, state: CampaignState, actor: str, action: str
    ) -> None:
        now, campaign_id = self.now(), state.plan.campaign_id
        await campaign_store.save_campaign(connection, state, actor, now)
        change = Change(actor, action, "campaign", campaign_id, body_of_campaign(state))
        await changes.record(connection, change, now)
        if state.status == "draft":
            return
        found = await campaign_store.instruments(connection, state.plan.instruments)
        instruments = [found[instrument_id] for instrument_id in state.plan.instruments]
        used = await emission_store.emissions_of(connection, emission_ids(instruments), self.cipher)
        if state.status == "running":
            refuse_unposted(instruments, used)
        message = Message(
            topics.CAMPAIGNS,
            campaign_id.encode(),
            event(state, instruments, [row.summary for row in used]),
            f"{campaign_id}:{state.version}",
        )
        await put(connection, [message], SOURCE, now)


async def _record_emission(
    connection: Connection, row: EmissionRow, actor: str, action: str, now: datetime
) -> None:
    body = body_of_emission(row.asked, row.status, row.bound, row.requested_codes)
    change = Change(actor, action, "emission", row.asked.emission_id, body)
    await changes.record(connection, change, now)
