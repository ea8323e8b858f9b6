"""What is broken when: a function of the seed alone. Pure.

A fault comes at a point of the load, counted in receipts begun, so that a slow machine breaks at the
same place as a fast one.
"""

import json
from dataclasses import asdict, dataclass
from random import Random

FAULTS_A_RUN = 2
_BESIDE = 0.25
"""How often a second fault comes at the same moment."""

KINDS = (
    "kill evaluator",
    "kill evaluator2",
    "kill relay",
    "kill kafka",
    "kill postgres",
    "kill backend",
    "kill analytics",
    "pause evaluator",
    "pause evaluator2",
    "pause kafka",
    "pause postgres",
    "pause analytics",
    "cut kafka",
    "cut postgres",
    "cut relay",
    "cut tills",
)
"""``<how> <what>``. ``relay``: the evaluator that has the relay's turn (kill), its session (cut);
``backend``: PostgreSQL's process for one of the evaluators' sessions; ``cut``: all TCP connections
of the evaluators to that server, or of the tills to Kafka."""

# Longer than the 6 s after which a consumer group gives a silent member's partitions away.
_LONGEST_PAUSE_SECONDS = 8.0


@dataclass(frozen=True)
class Fault:
    """``kind`` of ``KINDS`` once ``at`` receipts have been begun; a pause lasts ``seconds``."""

    at: int
    kind: str
    seconds: float = 0.0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"at receipt {self.at}: {self.kind}{lasting}"


@dataclass(frozen=True)
class Schedule:
    """The faults of a run, in their order; those with the same ``at`` come together."""

    seed: int
    faults: tuple[Fault, ...]

    @property
    def moments(self) -> list[tuple[Fault, ...]]:
        """The faults, those that come together as one."""
        found: dict[int, list[Fault]] = {}
        for fault in self.faults:
            found.setdefault(fault.at, []).append(fault)
        return [tuple(together) for _, together in sorted(found.items())]

    def __str__(self) -> str:
        return "; ".join(map(str, self.faults))

    @property
    def json(self) -> str:
        """For machines."""
        return json.dumps(asdict(self))


def plan(seed: int, receipts: int) -> Schedule:
    """The schedule of ``seed`` over so many receipts. All kinds come equally often over many seeds."""
    rng = Random(f"schedule/{seed}")  # noqa: S311 - a replay needs the same numbers
    faults: list[Fault] = []
    for turn in range(FAULTS_A_RUN):
        # In the first three quarters: what comes after must show that all goes on.
        at = int(receipts * 0.75 * (turn + rng.uniform(0.2, 0.9)) / FAULTS_A_RUN) + 1
        count = 2 if rng.random() < _BESIDE else 1
        faults += [_fault(at, kind, rng) for kind in rng.sample(KINDS, count)]
    return Schedule(seed, tuple(faults))


def _fault(at: int, kind: str, rng: Random) -> Fault:
    pauses = kind.startswith("pause")
    seconds = round(rng.uniform(0.5, _LONGEST_PAUSE_SECONDS), 1) if pauses else 0.0
    return Fault(at, kind, seconds)
