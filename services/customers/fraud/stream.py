"""The watch over facts: their conduct, suspicions and alerts, in the transaction of their batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.customers import metrics
from services.customers.fraud import alerting, announcing, detection
from services.customers.fraud.alerting import State
from services.customers.fraud.conduct import Conduct, Subject, unpack
from services.customers.fraud.model import Model, Sample, sample_of
from services.customers.fraud.rules import Rule, Ruleset, Suspicion
from services.customers.fraud.signals import Fact
from services.customers.fraud.store import alerts as alert_store
from services.customers.fraud.store import blocks as block_store
from services.customers.fraud.store import conduct as conduct_store
from services.customers.fraud.store import rules as rule_store
from services.customers.fraud.store.alerts import Change, Key
from services.customers.fraud.store.blocks import Blocked
from services.customers.messages import CodeAttempt, Decision, Message, Receipt, Returned
from shared.database import Connection

_Scored = tuple[Suspicion, Sample, int | None]


@dataclass
class Raised:
    """What a batch does to alerts: as they were, as they become, whom that blocks, and who stays a suspect."""

    before: dict[Key, State]
    after: dict[Key, State] = field(default_factory=dict)
    new: list[State] = field(default_factory=list)
    blocks: list[Blocked] = field(default_factory=list)
    suspects: dict[Key, Sample] = field(default_factory=dict)

    def add(self, found: _Scored, rule: Rule, now: datetime) -> None:
        """Add a suspicion, in the order of their facts."""
        suspicion, sample, score = found
        key = (suspicion.rule, suspicion.kind, suspicion.subject)
        if not alerting.is_wanted(suspicion, score, rule):
            self.suspects[key] = sample
            return
        before = self.after.get(key, self.before.get(key))
        state = alerting.raised(before, suspicion, sample, score, now)
        if state is None:
            return
        if before is None or before.alert_id != state.alert_id:
            self.new.append(state)
        if alerting.blocks(state, rule):
            state = alerting.blocked(state, now, blocked=True)
            until = now + timedelta(seconds=rule.blocks_s or 0)
            self.blocks.append(
                Blocked(state.kind, state.subject, state.alert_id, until, now, None)  # type: ignore[arg-type]
            )
        self.after[key] = state

    def due(self, now: datetime) -> list[State]:
        """The alerts that the topic is to be told of now; of the others later."""
        return [
            state
            for key, state in self.after.items()
            if alerting.is_due(state, self.before.get(key), now)
        ]


@dataclass
class Watch:
    """Applies facts; one for each process. ``rules``, what is usual and the model are what ``keeping`` last read."""

    rules: Ruleset | None = None
    chain: Conduct = field(default_factory=Conduct)
    model: Model | None = None

    async def load(self, connection: Connection) -> Ruleset:
        """Read the rules, and what is usual."""
        self.rules = Ruleset(kept.rule for kept in await rule_store.load(connection))
        return self.rules

    async def load_chain(self, connection: Connection) -> None:
        """Read what all stores have done."""
        packed = await conduct_store.of_stores(connection)
        self.chain = detection.chain_of(unpack(one) for one in packed)

    async def apply(self, connection: Connection, facts: Sequence[Message], now: datetime) -> None:
        """Watch facts, within the transaction of their batch, after everybody else.

        It locks rows of stores and cashiers, which other processes want, too.
        """
        relevant = [
            fact for fact in facts if isinstance(fact, Receipt | Returned | Decision | CodeAttempt)
        ]
        if not relevant:
            return
        rules = self.rules
        if rules is None:
            await self.load_chain(connection)
            rules = await self.load(connection)
        found = await self._observe(connection, relevant, rules, now)
        if found:
            await _raise(connection, self._scored(found), rules, now)

    async def _observe(
        self, connection: Connection, facts: Sequence[Fact], rules: Ruleset, now: datetime
    ) -> list[tuple[Suspicion, Sample]]:
        listening = detection.Listening()
        told = {fact.receipt_id for fact in facts if isinstance(fact, Decision) and _tells(fact)}
        if told:
            listening.presented = await conduct_store.load_presented(connection, told)
        signals = list(listening.signals(facts, now))
        known: dict[Subject, Conduct] = await conduct_store.load(
            connection, {signal.subject for signal in signals}
        )
        found = [
            (suspicion, sample_of(suspicion, features))
            for suspicion, features in detection.observe(signals, known, self.chain, rules)
        ]
        await conduct_store.save(connection, known)
        if listening.changed:
            await conduct_store.save_presented(connection, listening.changed, now)
        return found

    def _scored(self, found: Sequence[tuple[Suspicion, Sample]]) -> list[_Scored]:
        if self.model is None:
            return [(suspicion, sample, None) for suspicion, sample in found]
        scores = self.model.scores([sample for _, sample in found])
        return [
            (suspicion, sample, score)
            for (suspicion, sample), score in zip(found, scores, strict=True)
        ]


async def _raise(
    connection: Connection, found: Sequence[_Scored], rules: Ruleset, now: datetime
) -> None:
    keys = {(one.rule, one.kind, one.subject) for one, _, _ in found}
    raised = Raised(await alert_store.latest(connection, keys))
    for one in found:
        raised.add(one, rules.rules[one[0].rule], now)
    due = raised.due(now)
    told = {state.alert_id for state in due}
    await alert_store.save(
        connection, [state for state in raised.after.values() if state.alert_id not in told]
    )
    await announcing.tell(connection, due, now)
    changes = [(state.alert_id, Change("raised", now, None, None)) for state in raised.new]
    changes += [
        (block.alert_id, Change("blocked", now, None, None))
        for block in raised.blocks
        if block.alert_id is not None
    ]
    await alert_store.note(connection, changes)
    blocks = await block_store.extend(connection, raised.blocks)
    await announcing.withhold(connection, blocks, now)
    if raised.suspects:
        await alert_store.suspect(connection, raised.suspects, now)
    for state in raised.new:
        metrics.ALERTS.labels(state.rule).inc()


def _tells(decision: Decision) -> bool:
    return bool(decision.unused_codes or decision.foreign_codes)
