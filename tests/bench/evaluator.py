"""How fast carts are decided, with ten to a hundred thousand running campaigns.

    python -m tests.bench.evaluator

Carts have twenty lines and meet about twenty instruments through the index at every size
(``tests.bench.campaigns`` says of what). Each size has a process of its own. A decision is complete:
from a decoded cart to the encoded decision, allocation and explanation included; what the database
would add (places, customers, codes, purchases, free slots) is in memory. Matching alone, from basket to
the instruments that are met, is measured beside zen-engine's decision table on the same baskets: its
cells look at the cart's lines, as our conditions do, and both answer the same for every cart. How fast
it is where sums by product, group, brand and attribute are worked out for it is told beside. A campaign is compiled from
the bytes that come from Kafka: its decoding is within the time, and stated apart.

The last line is JSON: ``per_s`` by number of campaigns, ``match_1000_per_s``, ``zen_1000_per_s``,
``compile_100000_s``, ``compile_100000_mib`` (growth of the process, campaigns' models included as long
as something holds them), ``recompile_one_ms``.
"""

import gc
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace
from rich.console import Console

from services.evaluator import answer
from services.evaluator.cart import decode_cart
from services.evaluator.promotion import Ruleset, judge
from services.evaluator.promotion.basket import Basket
from services.evaluator.promotion.ruleset import Considered
from shared import clock
from shared.events.checkout import Cart
from shared.events.promotion import Campaign
from tests.bench import zen
from tests.bench.campaigns import bodies, definitions, shares
from tests.bench.carts import Chain, chain

SIZES = (10, 100, 1_000, 10_000, 100_000)
BESIDE_ZEN = 1_000
_ROUND_S = 0.4
_ROUNDS = 3
_MIB = 1 << 20
_BATCH = 50
T = TypeVar("T")


def per_second(
    prepare: Callable[[bytes], T], work: Callable[[T], object], bodies: Sequence[bytes]
) -> float:
    """How many items a second are worked through, over and over: the median of the rounds.

    Items are prepared, out of the measured time, a few at a time before they are worked on: a cart
    that is decided has just been decoded. Other processes on the machine disturb single rounds.
    """
    rates = []
    for _ in range(_ROUNDS):
        done, passed = 0, 0.0
        while passed < _ROUND_S:
            for n in range(0, len(bodies), _BATCH):
                items = [prepare(body) for body in bodies[n : n + _BATCH]]
                started = clock.monotonic()
                for item in items:
                    work(item)
                passed += clock.monotonic() - started
                done += len(items)
        rates.append(done / passed)
    return sorted(rates)[_ROUNDS // 2]


def decoded_cart(body: bytes) -> Cart:
    """The cart of a message, as the service decodes it."""
    return decode_cart(body)


def decide(chain: Chain, cart: Cart) -> bytes:
    """From a decoded cart to the bytes of its decision, as the service does it."""
    facts = chain.facts
    considered = facts.consider(cart)
    if considered.since is not None and cart.customer_id is not None:
        considered.remember(chain.purchases[cart.customer_id])
    considered.limits()  # which would be locked
    verdict = judge(considered, lambda limit: limit.cap)
    basket, ruleset = considered.reading.basket, considered.ruleset
    return answer.encode(
        answer.of(
            cart,
            verdict,
            decision_id=f"d-{cart.receipt_id}",
            outcome="decided",
            region=basket.region,
            device=basket.device,
            decided_at=facts.now,
            expires_at=facts.now + facts.hold,
            ruleset_version=ruleset.version,
            ruleset_hash=ruleset.hash,
            unknown_codes=[c.position for c in basket.codes if c.emission_id is None],
        )
    )


def measure(campaigns: int) -> dict[str, float]:
    """All figures of one size; prints what a cart meets to stderr."""
    messages = list(bodies(campaigns))
    before, started = _resident(), clock.monotonic()
    decoding = 0.0

    def decoded() -> Iterator[Campaign]:
        nonlocal decoding
        for message in messages:
            begun = clock.monotonic()
            campaign = Campaign.model_validate_json(message)
            decoding += clock.monotonic() - begun
            yield campaign

    collect_less()
    ruleset = Ruleset.empty().with_campaigns(decoded(), 1)
    compiled_s = clock.monotonic() - started
    gc.collect()
    grown = (_resident() - before) / _MIB
    gc.freeze()
    found = {
        "compile_s": compiled_s,
        "decode_s": decoding,
        "compile_mib": grown,
        "recompile_one_ms": _recompile_ms(ruleset, messages),
    }
    instruments = campaigns if campaigns > len(SIZES) * 4 else 3 * campaigns
    ready = chain(campaigns, instruments, ruleset)
    found |= _met(ready)
    found["per_s"] = per_second(decoded_cart, lambda cart: decide(ready, cart), ready.bodies)
    if campaigns == BESIDE_ZEN:
        found |= _beside_zen(ready)
    return found


def collect_less() -> None:
    """Collections of garbage in between would look through every campaign, to find nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _recompile_ms(ruleset: Ruleset, messages: Sequence[bytes]) -> float:
    """Milliseconds until one campaign of the ruleset is replaced, the slowest of five."""
    times = []
    for n in range(5):
        message = messages[n * (len(messages) - 1) // 4]
        started = clock.monotonic()
        campaign = Campaign.model_validate_json(message)
        ruleset.with_campaigns([campaign.model_copy(update={"version": 2})], 2)
        times.append(clock.monotonic() - started)
    return max(times) * 1_000


def _met(chain: Chain) -> dict[str, float]:
    """What a cart meets on average: through the index, applied, near misses; bytes of decisions."""
    indexed = applied = near = size = 0
    for cart in chain.carts:
        considered = _considered(chain, cart)
        verdict = judge(considered, lambda limit: limit.cap)
        indexed += len(list(chain.facts.ruleset.indexed(considered.reading)))
        applied += len(verdict.granted)
        near += len(verdict.near_misses)
        size += len(decide(chain, cart))
    carts = len(chain.carts)
    return {
        "considered": indexed / carts,
        "applied": applied / carts,
        "near": near / carts,
        "bytes": size / carts,
    }


def _considered(chain: Chain, cart: Cart) -> Considered:
    considered = chain.facts.consider(cart)
    if cart.customer_id is not None:
        considered.remember(chain.purchases[cart.customer_id])
    return considered


def _beside_zen(chain: Chain) -> dict[str, float]:
    """Matching alone, ours and zen's in turn. Raises ``AssertionError`` where they do not agree."""
    ruleset = chain.facts.ruleset
    defined = list(definitions(BESIDE_ZEN))

    def basket_of(body: bytes) -> Basket:
        cart = decoded_cart(body)
        purchases = chain.purchases.get(cart.customer_id or "", ())
        return replace(chain.facts.basket(cart), purchases=purchases)

    def ours(basket: Basket) -> set[str]:
        considered = ruleset.consider(basket)
        pairs = zip(considered.candidates, considered.failures, strict=True)
        return {c.campaign.campaign_id for c, failed in pairs if failed is None}

    found = {
        "match_per_s": per_second(
            basket_of, lambda basket: ruleset.consider(basket).failures, chain.bodies
        )
    }
    for name, looks_up in (("zen_per_s", False), ("zen_with_sums_per_s", True)):
        met = zen.matcher(defined, looks_up=looks_up)
        for body in chain.bodies:
            basket = basket_of(body)
            if differing := ours(basket) ^ met(basket):
                message = f"{basket.receipt_id}: {sorted(differing)} is met by one only"
                raise AssertionError(message)
        found[name] = per_second(basket_of, met, chain.bodies)
    return found


def _resident() -> int:
    """Bytes of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4_096


def main() -> None:
    """Measure every size in a process of its own, and print."""
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(measure(int(sys.argv[1]))) + "\n")
        return
    console = Console(stderr=True)
    kinds = shares(list(definitions(BESIDE_ZEN)))
    listed = ", ".join(f"{kind} {n * 100 / BESIDE_ZEN:g}%" for kind, n in kinds.most_common())
    console.print(f"instruments with each kind of condition or benefit: {listed}")
    found: dict[int, dict[str, float]] = {}
    for size in SIZES:
        with console.status(f"{size:,} campaigns"):
            command = [sys.executable, "-m", "tests.bench.evaluator", str(size)]
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
        found[size] = one = json.loads(done.stdout.splitlines()[-1])
        console.print(
            f"{size:>7,} campaigns: {one['per_s']:,.0f} decisions/s of {one['bytes']:,.0f} bytes; "
            f"a cart meets {one['considered']:.1f}, {one['applied']:.1f} apply, "
            f"{one['near']:.1f} near misses; compiled in {one['compile_s']:.2f} s "
            f"({one['decode_s']:.2f} s of it decoding), {one['compile_mib']:.0f} MiB; "
            f"one again in {one['recompile_one_ms']:.1f} ms"
        )
    beside, largest = found[BESIDE_ZEN], found[SIZES[-1]]
    console.print(
        f"beside zen-engine: matching {beside['match_per_s'] / beside['zen_per_s']:.1f} times, "
        f"complete decisions {beside['per_s'] / beside['zen_per_s']:.1f} times as fast; where sums by "
        f"product are worked out for its table beforehand ({beside['zen_with_sums_per_s']:,.0f}/s), "
        f"{beside['match_per_s'] / beside['zen_with_sums_per_s']:.1f} and "
        f"{beside['per_s'] / beside['zen_with_sums_per_s']:.1f} times"
    )
    figures = {
        "per_s": {str(size): round(one["per_s"]) for size, one in found.items()},
        "match_1000_per_s": round(beside["match_per_s"]),
        "zen_1000_per_s": round(beside["zen_per_s"]),
        "compile_100000_s": round(largest["compile_s"], 2),
        "compile_100000_mib": round(largest["compile_mib"]),
        "recompile_one_ms": round(largest["recompile_one_ms"], 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
