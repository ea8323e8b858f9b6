"""Whether abuse is found, and who is wronged by it: rules and score on honest baskets with labelled abuse among them.

``make bench-fraud``; some minutes, no servers. The last line printed is a JSON object. Thresholds were tuned on
``TUNED`` seeds with the baskets of the year's first half; what is reported is of ``REPORTED`` seeds with those of
the second half. What is run is the core that the service runs (``services/customers/fraud``), fact by fact; the score is
learnt from what a person would have said of the alerts of the tuned seeds.
"""

import json
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from time import process_time

from services.customers.fraud import conduct as conducts
from services.customers.fraud import detection, model
from services.customers.fraud.alerting import is_wanted
from services.customers.fraud.conduct import Conduct, Kind, Signal, Subject
from services.customers.fraud.model import Model, Sample, sample_of
from services.customers.fraud.rules import DEFAULTS, Ruleset, Suspicion
from tests.bench import abuse, honest
from tests.bench.shop_facts import when

TUNED = (1, 2, 3, 4, 5, 6)
REPORTED = tuple(range(201, 211))
_HOUR_S = 3_600

Found = tuple[str, Kind, str]
"""A rule and the subject that met it."""
FOUND_BY: Mapping[str, frozenset[tuple[str, str]]] = {
    "code_guessing": frozenset(
        ("code_guessing", kind) for kind in ("customer", "device", "address", "cashier")
    ),
    "buy_use_return": frozenset({("buy_use_return", "customer")}),
    "device_farm": frozenset({("shared_device", "device")}),
    "foreign_code": frozenset(("foreign_code", kind) for kind in ("customer", "device", "address")),
    "unauthorised": frozenset({("unauthorised", "cashier"), ("unauthorised", "store")}),
    "velocity": frozenset(("velocity", kind) for kind in ("customer", "device", "address")),
    "quick_returns": frozenset({("quick_returns", "cashier")}),
    "store_collusion": frozenset({("velocity", "store"), ("velocity", "cashier")}),
    "borrowed_card": frozenset({("borrowed_card", "cashier")}),
}
"""By which rules, on which kind of subject, an actor of a pattern counts as found."""


@dataclass
class Run:
    """What came of a seed: for each rule and subject whether it was met, its last sample and best score."""

    seed: int
    facts: int
    seconds: float
    households: int
    actors: list[abuse.Actor]
    mine: Mapping[tuple[str, str], int]
    met: set[Found] = field(default_factory=set)
    scored: set[Found] = field(default_factory=set)
    samples: dict[Found, Sample] = field(default_factory=dict)

    def guilty(self) -> set[tuple[str, str]]:
        """All subjects that took part in abuse."""
        return {subject for actor in self.actors for subject in actor.subjects}

    def raised(self, *, by_score: bool) -> set[Found]:
        """The alerts: by rules, and also by score."""
        return self.met | self.scored if by_score else self.met

    def wronged(self, *, by_score: bool) -> set[int]:
        """Honest households of whom, or of whose own device or address, there was an alert."""
        guilty, found = self.guilty(), set()
        for _, kind, name in self.raised(by_score=by_score):
            if (kind, name) in guilty:
                continue
            if kind == "customer" and name.startswith("h-"):
                found.add(int(name.removeprefix("h-")))
            elif (kind, name) in self.mine:
                found.add(self.mine[kind, name])
        return found

    def score(
        self, near: Sequence[tuple[Suspicion, Sample]], learnt: Model | None, rules: Ruleset
    ) -> None:
        """Note which of the half-way suspicions the score raises."""
        if learnt is None or not near:
            return
        scores = learnt.scores([sample for _, sample in near])
        for (suspicion, _), score in zip(near, scores, strict=True):
            if is_wanted(suspicion, score, rules.rules[suspicion.rule]):
                self.scored.add((suspicion.rule, suspicion.kind, suspicion.subject))


def run(seed: int, *, second: bool, learnt: Model | None = None) -> Run:
    """Play a seed through the core."""
    shop = honest.shop(seed, honest.half(second=second))
    actors = abuse.play(shop)
    facts = shop.sorted()
    started = process_time()
    result = Run(seed, len(facts), 0.0, len(shop.habits.households), actors, shop.mine)
    rules, listening = Ruleset(DEFAULTS), detection.Listening()
    known: dict[Subject, Conduct] = {}
    chain, hour, waiting = Conduct(), 0, list[Signal]()
    near: list[tuple[Suspicion, Sample]] = []
    for at, fact in facts:
        if at // _HOUR_S > hour:  # the service looks at what is usual every minute
            hour = at // _HOUR_S
            for signal in waiting:
                conducts.add(chain, signal)
            waiting.clear()
            result.score(near, learnt, rules)
            near.clear()
        signals = list(listening.signals([fact], when(at)))
        waiting += [signal for signal in signals if signal.subject.kind == "store"]
        for found in detection.observe(signals, known, chain, rules):
            suspicion, features = found
            key = (suspicion.rule, suspicion.kind, suspicion.subject)
            sample = sample_of(suspicion, features)
            result.samples[key] = sample
            if is_wanted(suspicion, None, rules.rules[suspicion.rule]):
                result.met.add(key)
            else:
                near.append((suspicion, sample))
    result.score(near, learnt, rules)
    result.seconds = process_time() - started
    return result


def said_of(result: Run) -> list[Sample]:
    """What is learnt from a seed: a person has told of every alert whether it was right; of others nobody has."""
    guilty = result.guilty()
    return [
        Sample(
            sample.rule,
            sample.kind,
            sample.excess,
            sample.features,
            (key[1], key[2]) in guilty if key in result.met else None,
        )
        for key, sample in sorted(result.samples.items())
    ]


def learnt_from(results: Sequence[Run]) -> Model:
    """The model of the tuned seeds."""
    found = model.learn([sample for result in results for sample in said_of(result)])
    if found is None:
        message = "too few alerts were right to learn from"
        raise RuntimeError(message)
    return found


@dataclass
class Pattern:
    """How well a pattern was found, over seeds."""

    actors: int = 0
    found: int = 0
    alerts: int = 0
    right: int = 0

    @property
    def recall(self) -> float:
        """The share of actors found."""
        return self.found / self.actors

    @property
    def precision(self) -> float:
        """The share of alerts that were of somebody who took part in abuse."""
        return self.right / self.alerts if self.alerts else 1.0


def judged(results: Sequence[Run], *, by_score: bool) -> dict[str, Pattern]:
    """Each pattern over the seeds."""
    patterns: dict[str, Pattern] = defaultdict(Pattern)
    for result in results:
        raised, guilty = result.raised(by_score=by_score), result.guilty()
        for actor in result.actors:
            pattern = patterns[actor.pattern]
            pattern.actors += 1
            pattern.found += any(
                (rule, kind) in FOUND_BY[actor.pattern] and (kind, name) in actor.subjects
                for rule, kind, name in raised
            )
        for rule, kind, name in raised:
            for of, by in FOUND_BY.items():
                if (rule, kind) in by:
                    patterns[of].alerts += 1
                    patterns[of].right += (kind, name) in guilty
    return dict(patterns)


def wronged_share(results: Sequence[Run], *, by_score: bool) -> float:
    """The share of honest customers of whom there was an alert in half a year."""
    wronged = sum(len(result.wronged(by_score=by_score)) for result in results)
    return wronged / sum(result.households for result in results)


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201


def table(results: Sequence[Run]) -> Iterator[str]:
    """The figures by pattern, by rules alone and with the score."""
    alone, both = judged(results, by_score=False), judged(results, by_score=True)
    yield "| Pattern | Actors | Found by rules | Recall | Precision | Found with the score | Recall | Precision |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for name in abuse.PATTERNS:
        one, two = alone[name], both[name]
        yield (
            f"| {name} | {one.actors} | {one.found} | {one.recall:.3f} | {one.precision:.3f}"
            f" | {two.found} | {two.recall:.3f} | {two.precision:.3f} |"
        )


def summary(results: Sequence[Run]) -> dict[str, object]:
    """What the last line says."""
    both = judged(results, by_score=True)
    honest_wronged = [len(result.wronged(by_score=True)) for result in results]
    return {
        "seeds": [result.seed for result in results],
        "recall": {name: round(both[name].recall, 4) for name in abuse.PATTERNS},
        "precision": {name: round(both[name].precision, 4) for name in abuse.PATTERNS},
        "recall_least": round(min(one.recall for one in both.values()), 4),
        "recall_least_rules_alone": round(
            min(one.recall for one in judged(results, by_score=False).values()), 4
        ),
        "false_positive_rate": round(wronged_share(results, by_score=True), 6),
        "false_positive_rate_rules_alone": round(wronged_share(results, by_score=False), 6),
        "false_positive_most": max(honest_wronged),
        "us_per_fact": round(
            statistics.median(result.seconds / result.facts * 1e6 for result in results), 1
        ),
    }


def others_wronged(results: Sequence[Run]) -> Counter[tuple[str, str]]:
    """Alerts of subjects that are no customer's and did nothing: stores, cashiers, kiosks, gateways."""
    found: Counter[tuple[str, str]] = Counter()
    for result in results:
        guilty = result.guilty()
        for rule, kind, name in result.raised(by_score=True):
            if kind != "customer" and (kind, name) not in guilty | set(result.mine):
                found[rule, kind] += 1
    return found


def tuned(seeds: Sequence[int] = TUNED) -> list[Run]:
    """The runs that were tuned on, and that the score is learnt from."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_first_half, seeds))


def reported(learnt: Model, seeds: Sequence[int] = REPORTED) -> list[Run]:
    """The runs of the seeds that nothing was tuned on."""
    with ProcessPoolExecutor() as pool:
        return list(pool.map(_second_half, seeds, [learnt] * len(seeds)))


def _first_half(seed: int) -> Run:
    return run(seed, second=False)


def _second_half(seed: int, learnt: Model) -> Run:
    return run(seed, second=True, learnt=learnt)


def main() -> int:
    """Run it; ``tuned`` as an argument shows the tuned seeds only."""
    results = tuned()
    if "tuned" not in sys.argv:
        learnt = learnt_from(results)
        say(
            f"learnt from {learnt.confirmed} confirmed, {learnt.dismissed} dismissed,"
            f" {learnt.unsaid} of which nobody said anything"
        )
        results = reported(learnt)
    for line in table(results):
        say(line)
    for (rule, kind), count in sorted(others_wronged(results).items()):
        say(f"innocent {kind}: {rule} {count} times in {len(results)} seeds")
    say(json.dumps(summary(results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
