"""The few words that everything generated is made of."""

from hypothesis import strategies as st

from shared.events.selection import Attribute, Products, Selectors
from shared.events.values import Location

NAMES = ["a", "b", "c"]
VIENNA = Location(latitude_e6=48_208_500, longitude_e6=16_372_500)
GRAZ = Location(latitude_e6=47_070_700, longitude_e6=15_439_500)
names = st.sampled_from(NAMES)
maybe_name = st.none() | names
rarely = st.sampled_from([False] * 5 + [True])
quantities = st.sampled_from([1_000, 2_000, 3_000, 250, 1_333])
percentages = st.sampled_from([1_000, 3_333, 500, 10_000, 1])
few_names = st.lists(names, min_size=1, max_size=2, unique=True).map(tuple)

_few = st.sampled_from([(), (), ("a",), ("b",)])
_sizes = (
    st.just(())
    | st.just(())
    | st.builds(Attribute, name=st.just("size"), values=few_names).map(lambda one: (one,))
)
_selected = st.builds(
    Products,
    skus=_few,
    groups=_few,
    brands=_few,
    attributes=_sizes,
    exclude=st.none() | st.none() | st.builds(Selectors, skus=_few, groups=_few, attributes=_sizes),
)
selections = st.just(Products()) | _selected
