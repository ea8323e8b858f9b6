"""The score: nothing before enough was confirmed, the same for the same samples, and it follows what was said."""

from services.customers.fraud import model
from services.customers.fraud.features import FEATURES
from services.customers.fraud.model import FEWEST, Sample


def sample(level: float, *, abuse: bool | None) -> Sample:
    """A suspicion whose figures are all at a level."""
    return Sample("velocity", "customer", 60, (level,) * len(FEATURES), abuse)


def said(confirmed: int) -> list[Sample]:
    """High figures were confirmed, low ones dismissed or not spoken of."""
    return [
        *[sample(5 + n / 100, abuse=True) for n in range(confirmed)],
        *[sample(1 + n / 100, abuse=False) for n in range(20)],
        *[sample(1 + n / 100, abuse=None) for n in range(40)],
    ]


def test_nothing_is_learnt_from_too_few() -> None:
    assert model.learn(said(FEWEST - 1)) is None
    assert model.learn([]) is None
    assert model.learn([sample(1, abuse=True)] * 50) is None


def test_it_follows_what_people_said_and_is_the_same_again() -> None:
    learnt, again = model.learn(said(FEWEST)), model.learn(said(FEWEST))
    assert learnt is not None
    assert again is not None
    asked = [sample(5, abuse=None), sample(1, abuse=None)]
    high, low = learnt.scores(asked)
    assert high > 8_000
    assert low < 2_000
    assert again.scores(asked) == [high, low]
    assert (learnt.confirmed, learnt.dismissed, learnt.unsaid) == (FEWEST, 20, 40)


def test_samples_from_before_a_feature_was_added_are_learnt_from() -> None:
    old = [Sample(one.rule, one.kind, one.excess, one.features[:-1], one.abuse) for one in said(20)]
    learnt = model.learn(old)
    assert learnt is not None
    assert learnt.scores([]) == []
