"""What authors do, each in one transaction: check, keep, publish."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

import asyncpg

from services.emission.campaigns import (
    Action,
    CampaignPlan,
    CampaignState,
    NotPossibleError,
    act,
    edit,
    emission_ids,
    event,
    faults_of_instrument,
    faults_of_plan,
    faults_of_posting,
    group_ids,
    is_over,
    renewed,
    store_ids,
)
from services.emission.cipher import CodeCipher
from services.emission.codes import NewEmission
from services.emission.posting import SOURCE
from services.emission.store import campaigns as campaign_store
from services.emission.store import emissions as emission_store
from services.emission.store.emissions import EmissionRow
from services.emission.validation import (
    faults_in_campaign,
    faults_of_campaign,
    faults_of_codes,
    faults_of_definition,
)
from shared import clock, topics
from shared.codec import FieldError, InvalidMessageError
from shared.codes import digest
from shared.database import Connection
from shared.events.promotion import EmissionSummary, Instrument
from shared.outbox import Message, put
from shared.web.problems import Problem


@dataclass
class Authoring:
    """Writes emissions, instruments and campaigns; raises ``Problem`` or ``InvalidMessageError``.

    ``zones`` are the time zones that exist. What is written answers whether it was new.
    """

    pool: asyncpg.Pool
    cipher: CodeCipher
    code_key: bytes = field(repr=False)
    zones: frozenset[str]
    now: Callable[[], datetime] = clock.now

    async def add_emission(self, new: NewEmission) -> tuple[EmissionRow, bool]:
        """Keep a draft; the same again is the same, another with its id or word is a conflict."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            known = await emission_store.emission(connection, new.emission_id, self.cipher)
            if known is not None:
                if not known.is_of(new):
                    raise _conflict("emission_id", "there is another emission with this id")
                return known, False
            number = await emission_store.add_emission(connection, new, self.cipher)
            await self._claim_word(connection, number, new, self.now())
            return await self._emission(connection, new.emission_id), True

    async def post_emission(self, emission_id: str) -> EmissionRow:
        """Have the codes made and published; the same again changes nothing."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            row = await self._emission(connection, emission_id)
            if row.status != "draft":
                return row
            now = self.now()
            if row.asked.valid_until is not None and row.asked.valid_until <= now:
                raise _conflict("valid_until", "the emission is over")
            await self._claim_word(connection, row.number, row.asked, now)
            await emission_store.begin_posting(connection, row.number, now)
            return await self._emission(connection, emission_id)

    async def _claim_word(
        self, connection: Connection, number: int, asked: NewEmission, now: datetime
    ) -> None:
        if asked.word is not None and not await emission_store.claim_word(
            connection, number, digest(asked.word, self.code_key), now
        ):
            raise _conflict("word", "another live emission has this code")

    async def _emission(self, connection: Connection, emission_id: str) -> EmissionRow:
        row = await emission_store.emission(connection, emission_id, self.cipher)
        if row is None:
            raise _not_found("emission", "emission_id")
        return row

    async def add_instrument(self, instrument: Instrument) -> tuple[Instrument, bool]:
        """Keep an instrument; the same again is the same, another with its id is a conflict."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            known = await campaign_store.instrument(connection, instrument.instrument_id)
            if known is not None:
                if known != instrument:
                    raise _conflict("instrument_id", "there is another instrument with this id")
                return known, False
            await self._check_instrument(connection, instrument)
            await campaign_store.save_instrument(connection, instrument)
            return instrument, True

    async def edit_instrument(self, instrument: Instrument) -> Instrument:
        """Replace an instrument; started campaigns that use it are published anew."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            known = await campaign_store.instrument(connection, instrument.instrument_id)
            if known is None:
                raise _not_found("instrument", "instrument_id")
            if known == instrument:
                return known
            await self._check_instrument(connection, instrument)
            await campaign_store.save_instrument(connection, instrument)
            used = await self._summaries(connection, [instrument])
            for state in await campaign_store.unfinished_campaigns_with(
                connection, instrument.instrument_id
            ):
                places = await campaign_store.places(connection, state.plan.stores)
                _refuse(faults_in_campaign(state.plan, instrument, used, places))
                if state.status != "draft":
                    await self._save(connection, renewed(state))
            return instrument

    async def _check_instrument(self, connection: Connection, instrument: Instrument) -> None:
        known = await campaign_store.known(
            connection,
            self.zones,
            stores=store_ids(instrument),
            groups=group_ids(instrument),
            emission_ids=emission_ids([instrument]),
        )
        used = await self._summaries(connection, [instrument])
        _refuse(
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

    async def add_campaign(self, plan: CampaignPlan) -> tuple[CampaignState, bool]:
        """Keep a draft; the same again is the same, another with its id is a conflict."""
        async with self.pool.acquire() as connection, connection.transaction():
            await campaign_store.lock_authoring(connection)
            known = await campaign_store.campaign(connection, plan.campaign_id)
            if known is not None:
                if known.plan != plan:
                    raise _conflict("campaign_id", "there is another campaign with this id")
                return known, False
            await self._check_plan(connection, plan)
            state = CampaignState(plan)
            await self._save(connection, state)
            return state, True

    async def edit_campaign(self, plan: CampaignPlan) -> CampaignState:
        """Replace a campaign's plan; if it was started, it is published anew.

        A running one is not edited to be over: that is what ``finish`` says. One that is over
        already may still have its other fields edited.
        """
        async with self.pool.acquire() as connection, connection.transaction():
            before = await self._locked_campaign(connection, plan.campaign_id)
            await self._check_plan(connection, plan)
            now = self.now()
            if before.status == "running" and is_over(plan, now) and not is_over(before.plan, now):
                message = "these days are over: give a later day, or finish the campaign"
                raise _conflict("last_day", message)
            return await self._change(connection, before, lambda: edit(before, plan))

    async def act(self, campaign_id: str, action: Action, *, past: bool = False) -> CampaignState:
        """Start, pause or finish a campaign; one that is over starts only as ``past``."""
        async with self.pool.acquire() as connection, connection.transaction():
            before = await self._locked_campaign(connection, campaign_id)
            if action == "start" and before.status in ("draft", "paused"):
                if is_over(before.plan, self.now()) and not past:
                    message = "the campaign is over: give a later day, or start it with ?past=true"
                    raise _conflict("last_day", f"{message} for sales that come late")
                await self._check_instruments(connection, before.plan)
            return await self._change(connection, before, lambda: act(before, action))

    async def _locked_campaign(self, connection: Connection, campaign_id: str) -> CampaignState:
        await campaign_store.lock_authoring(connection)
        state = await campaign_store.campaign(connection, campaign_id)
        if state is None:
            raise _not_found("campaign", "campaign_id")
        return state

    async def _check_plan(self, connection: Connection, plan: CampaignPlan) -> None:
        known = await campaign_store.known(
            connection,
            self.zones,
            stores=plan.stores,
            groups=plan.customer_groups,
            instrument_ids=plan.instruments,
        )
        _refuse(faults_of_plan(plan, known))
        await self._check_instruments(connection, plan)

    async def _check_instruments(self, connection: Connection, plan: CampaignPlan) -> None:
        """Refuse instruments that can never apply in the campaign, which must all exist."""
        found = await campaign_store.instruments(connection, plan.instruments)
        instruments = [found[instrument_id] for instrument_id in plan.instruments]
        used = await self._summaries(connection, instruments)
        places = await campaign_store.places(connection, plan.stores)
        _refuse(faults_of_campaign(plan, instruments, used, places))

    async def _change(
        self, connection: Connection, before: CampaignState, change: Callable[[], CampaignState]
    ) -> CampaignState:
        try:
            after = change()
        except NotPossibleError as error:
            raise _conflict("status", str(error)) from error
        if after != before:
            await self._save(connection, after)
        return after

    async def _save(self, connection: Connection, state: CampaignState) -> None:
        await campaign_store.save_campaign(connection, state)
        if state.status == "draft":
            return
        found = await campaign_store.instruments(connection, state.plan.instruments)
        instruments = [found[instrument_id] for instrument_id in state.plan.instruments]
        used = await emission_store.emissions_of(connection, emission_ids(instruments), self.cipher)
        if state.status == "running":
            _refuse_unposted(instruments, used)
        message = Message(
            topics.CAMPAIGNS,
            state.plan.campaign_id.encode(),
            event(state, instruments, [row.summary for row in used]),
            f"{state.plan.campaign_id}:{state.version}",
        )
        await put(connection, [message], SOURCE, self.now())


def _refuse(faults: Sequence[FieldError]) -> None:
    if faults:
        raise InvalidMessageError(faults)


def _refuse_unposted(instruments: Sequence[Instrument], used: Sequence[EmissionRow]) -> None:
    posted = {row.asked.emission_id for row in used if row.status == "posted"}
    faults = faults_of_posting(instruments, posted)
    if faults:
        raise Problem(
            HTTPStatus.CONFLICT,
            "The campaign cannot run yet",
            "; ".join(str(fault) for fault in faults[:5]),
            [{"field": fault.field, "message": fault.message} for fault in faults],
        )


def _conflict(field_name: str, message: str) -> Problem:
    return Problem.of_field(HTTPStatus.CONFLICT, "Conflict", field_name, message)


def _not_found(noun: str, field_name: str) -> Problem:
    return Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", field_name, f"no such {noun}")
