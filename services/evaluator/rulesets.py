"""The ruleset in memory, as fresh as the transaction that decides by it."""

from dataclasses import dataclass, field
from datetime import datetime

from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.store import blocks as block_store
from services.evaluator.store import reference as reference_store
from services.evaluator.store.reference import Versions
from shared.database import Connection

# Not -1: that is the version before the first campaign, whose offset, and so whose version, may be 0.
_UNKNOWN = Versions(-2, -1, -1)


@dataclass
class Rulesets:
    """Keeps the latest ruleset; only campaigns that changed are read and compiled again.

    ``versions`` are those of the rules, the codes and the blocks that it has. Transactions may use one at the same
    time: each finds out by itself whether what is kept is what it reads, and none waits between that and
    its answer; one that is late may set it back, and the next one reads on from there.
    """

    latest: Ruleset = field(default_factory=Ruleset.empty)
    versions: Versions = _UNKNOWN

    async def current(self, connection: Connection, *, lock: bool) -> tuple[Ruleset, datetime]:
        """The ruleset, and the arbiter's time; with ``lock`` it holds until the transaction ends."""
        versions, now = await reference_store.ruleset_versions(connection, lock=lock)
        if versions != self.versions:
            known, ruleset, named = self.versions, self.latest, set[str]()
            if versions.rules != known.rules:
                changed = await reference_store.campaigns_since(connection, known.rules)
                ruleset = ruleset.with_campaigns(changed, versions.rules)
                named = {one.emission_id for campaign in changed for one in campaign.emissions}
            if named or versions.codes != known.codes:
                # Of emissions that no campaign waits for codes come without a word: once one asks, all count.
                held = await reference_store.codes_held(connection, known.codes, named)
                ruleset = ruleset.with_more_codes(held)
            if versions.blocks != known.blocks:
                ruleset = ruleset.with_blocks(await block_store.all_blocks(connection))
            self.latest, self.versions = ruleset, versions
        return self.latest, now
