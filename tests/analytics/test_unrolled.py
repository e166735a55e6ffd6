"""Straight-line code made from a formula: the same operations, so the same bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.unrolled import unrolled


def spread(a: float, b: float, c: float) -> list[float]:
    total = a * 0.1
    for part in (b, c, b):
        total = total + part * part / (3.0 + part * part) - 0.3 * part
    return [total, -total * (total > 0), 1 / (2 - total * total)]


numbers = st.floats(-1e6, 1e6)


@given(numbers, numbers, numbers)
def test_the_code_gives_what_the_loops_give_to_the_bit(a: float, b: float, c: float) -> None:
    assert unrolled(spread, 3)(a, b, c) == tuple(spread(a, b, c))


def test_floats_and_arrays_agree_to_the_bit() -> None:
    rng = np.random.default_rng(5)
    columns = rng.normal(0, 3, (3, 400))

    together = spread(*columns)

    straight = unrolled(spread, 3)
    apart = np.array([straight(*row) for row in columns.T.tolist()]).T
    assert np.array_equal(np.array(together), apart)


def test_a_work_that_looks_at_its_values_is_refused() -> None:
    with pytest.raises(TypeError, match="depend on their values"):
        unrolled(lambda x: [x if x > 0 else -x], 1)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="wanted: a number"):
        unrolled(lambda x: [x + "1"], 1)
