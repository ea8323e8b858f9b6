"""Detection: facts in, suspicions out, and the conduct of everybody they tell of.

Pure. Whoever calls it has the conduct of the subjects; the service loads and saves it, a simulation just keeps it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from services.customers.fraud import conduct as conducts
from services.customers.fraud import signals
from services.customers.fraud.conduct import Conduct, Signal, Subject
from services.customers.fraud.features import features
from services.customers.fraud.rules import Around, Ruleset, Suspicion, suspicions
from services.customers.fraud.signals import NOTHING, Fact, Presented
from services.customers.messages import CodeAttempt, Decision, Receipt, Returned


@dataclass
class Listening:
    """Turns facts into signals. ``presented`` is what was counted of receipts' codes; ``changed`` what is new of it."""

    presented: dict[str, Presented] = field(default_factory=dict)
    changed: dict[str, Presented] = field(default_factory=dict)

    def signals(self, facts: Iterable[Fact], now: datetime) -> Iterator[Signal]:
        """The signals of facts, in their order."""
        for fact in facts:
            match fact:
                case Receipt():
                    yield from signals.of_receipt(fact, now)
                case Returned():
                    yield from signals.of_return(fact, now)
                case Decision():
                    yield from self._of_decision(fact, now)
                case CodeAttempt():
                    yield from signals.of_attempt(fact, now)

    def _of_decision(self, decision: Decision, now: datetime) -> Iterator[Signal]:
        before = self.presented.get(decision.receipt_id, NOTHING)
        after = signals.presented(decision, before)
        if after != before:
            self.presented[decision.receipt_id] = self.changed[decision.receipt_id] = after
            yield from signals.of_decision(decision, before, after, now)


def observe(
    found: Iterable[Signal],
    known: dict[Subject, Conduct],
    chain: Conduct,
    rules: Ruleset,
) -> Iterator[tuple[Suspicion, list[float]]]:
    """Add signals to the conduct of their subjects; yields each rule as often as it is met, or half-way met.

    Beside it the features of the subject as it then is. ``known`` has the conduct of all subjects that have any;
    ``chain`` that of all stores together.
    """
    for signal in found:
        subject = signal.subject
        conduct = known.get(subject)
        if conduct is None:
            conduct = known[subject] = Conduct()
        new = signal.customer is not None and conducts.is_new(known.get(signal.customer))
        conducts.add(conduct, signal, new=new)
        if signal.sums is conducts.PLAIN and signal.party is None:
            continue
        store = None
        if subject.kind == "cashier":
            store = known.get(Subject("store", subject.name.rpartition(":")[0]))
        around = Around(chain, store)
        raised = list(suspicions(signal, conduct, around, rules))
        if raised:
            figures = features(conduct, conduct.latest, around)
            for suspicion in raised:
                yield suspicion, figures


def chain_of(stores: Iterable[Conduct]) -> Conduct:
    """What all stores did by day, in one: what is usual."""
    chain = Conduct()
    for store in stores:
        chain.latest = max(chain.latest, store.latest)
        for day, cell in store.days.items():
            sums = chain.days.setdefault(day, [0] * len(conducts.MEASURES))
            for place, value in enumerate(cell):
                sums[place] += value
    return chain
