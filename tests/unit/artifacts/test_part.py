"""A part of a text is spread evenly over the whole."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.part import LEAD_IN_TOKENS, STRETCHES, part_of


@given(tokens=st.integers(0, 5000), most=st.integers(0, 6000), window=st.integers(1, 300))
def test_a_part_is_spread_evenly_and_read_after_what_is_before_it(tokens: int, most: int, window: int) -> None:
    ids = np.arange(tokens)
    part = part_of(ids, most, window=window)
    counted = part.ids[part.counts]
    if not 0 < most < tokens:
        assert part.ids is ids
        assert part.counts.all()
        return
    stretches = min(STRETCHES, most)
    assert len(counted) == most // stretches * stretches
    assert len(set(counted.tolist())) == len(counted)
    # As many of each of the text's equal shares, but for where a stretch begins within a token of a share's end.
    shares = np.histogram(counted, bins=np.linspace(0, tokens, stretches + 1))[0]
    assert abs(shares - most // stretches).max() <= 1
    lead_in = max(LEAD_IN_TOKENS, window)
    for place in np.flatnonzero(part.counts):
        before = min(lead_in, int(part.ids[place]), int(place))
        assert (part.ids[place - before : place + 1] == np.arange(part.ids[place] - before, part.ids[place] + 1)).all()
