"""The learnt score: how likely a suspicion is abuse, by what people said of alerts before.

Pure, and deterministic: the same samples give the same scores. Extremely randomised trees (Geurts, Ernst and Wehenkel,
2006) on a conduct's features, the rule that it is near, and by how far; docs/decisions/0019-fraud-score.md says what
they were chosen over. Suspicions of which nobody has said anything count as honest, but for little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any, get_args

import numpy as np
from msgspec import Struct

from services.customers.fraud.conduct import Kind
from services.customers.fraud.features import FEATURES
from services.customers.fraud.rules import NAMES, Suspicion

KINDS: tuple[Kind, ...] = get_args(Kind)
FEWEST = 10
"""Of confirmed alerts: from fewer nothing is learnt."""
TREES = 100
_LEAF = 2
_UNSAID = 0.5
_WHOLE = 10_000
_SEED = 7


class Sample(Struct, frozen=True):
    """A suspicion as it was, by its features, and what was said of it: abuse or not, or nothing (None)."""

    rule: str
    kind: Kind
    excess: int
    features: tuple[float, ...]
    abuse: bool | None = None


def sample_of(
    suspicion: Suspicion, features: Sequence[float], *, abuse: bool | None = None
) -> Sample:
    """A suspicion as it is learnt from, or scored."""
    return Sample(suspicion.rule, suspicion.kind, suspicion.excess, tuple(features), abuse)


@dataclass(frozen=True)
class Model:
    """What was learnt, and of how many."""

    trees: Any
    confirmed: int
    dismissed: int
    unsaid: int

    def scores(self, samples: Sequence[Sample]) -> list[int]:
        """How likely each is abuse, in basis points."""
        if not samples:
            return []
        shares = self.trees.predict_proba(np.array([_row(one) for one in samples]))[:, 1]
        return [round(float(share) * _WHOLE) for share in shares]


def learn(samples: Sequence[Sample]) -> Model | None:
    """The model of these samples; None: too little was confirmed yet."""
    confirmed = sum(one.abuse is True for one in samples)
    dismissed = sum(one.abuse is False for one in samples)
    unsaid = len(samples) - confirmed - dismissed
    if confirmed < FEWEST or confirmed == len(samples):
        return None
    # Not before it is needed: it would make half of the service's memory, and of the time until it is back after a crash.
    from sklearn.ensemble import ExtraTreesClassifier  # noqa: PLC0415

    trees = ExtraTreesClassifier(n_estimators=TREES, min_samples_leaf=_LEAF, random_state=_SEED)
    rows = np.array([_row(one) for one in samples])
    said = np.array([one.abuse is True for one in samples])
    weights = np.array([_UNSAID if one.abuse is None else 1.0 for one in samples])
    trees.fit(rows, said, sample_weight=weights)
    return Model(trees, confirmed, dismissed, unsaid)


def _row(sample: Sample) -> list[float]:
    # Samples that were kept before a feature was added have none of it.
    missing = len(FEATURES) - len(sample.features)
    return [
        *sample.features[: len(FEATURES)],
        *[0.0] * missing,
        log(max(sample.excess, 1) / 100),
        *[float(sample.kind == kind) for kind in KINDS],
        *[float(sample.rule == rule) for rule in NAMES],
    ]
