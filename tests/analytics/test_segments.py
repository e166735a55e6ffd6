"""Within what results are comparable, and that it does not hang on the order in which they came."""

from dataclasses import replace

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from analytics import CURRENT_RELEASE, History, estimate_cohort
from analytics.learning import training_draws
from tests.analytics.cohorts import patients_table, results_table, trials_table, week

FLUIDS = ("", "serum", "edta_plasma")


def segments_of(matrices: list[str], *, weeks: list[float] | None = None) -> list[str]:
    table = results_table([30 + n for n in range(len(matrices))], weeks=weeks, matrix=matrices)
    columns = History(patients=patients_table(), results=table).result_columns
    return [columns.segments[each] for each in columns.segment]


def test_without_a_word_on_the_fluid_a_segment_is_laboratory_and_kit() -> None:
    assert segments_of(["", ""]) == ["1/kit", "1/kit"]


def test_what_is_not_stated_is_as_before_or_as_the_first_that_is() -> None:
    found = segments_of(["", "serum", "", "edta_plasma", ""])

    assert found == ["1/kit/serum"] * 3 + ["1/kit/edta_plasma"] * 2


def test_of_two_results_of_one_moment_each_keeps_its_own_word() -> None:
    found = segments_of(["serum", "", "edta_plasma"], weeks=[0, 1, 1])

    assert sorted(found) == ["1/kit", "1/kit/edta_plasma", "1/kit/serum"]


def kits_of(kits: list[str], *, laboratory: str = "1") -> list[tuple[str, bool]]:
    segments = [f"{laboratory}/{kit}" if kit else laboratory for kit in kits]
    values = [30 + n for n in range(len(kits))]
    table = results_table(values, segment=segments, laboratory=laboratory)
    columns = History(patients=patients_table(), results=table).result_columns
    names = [columns.segments[each] for each in columns.segment]
    return list(zip(names, columns.is_kit_assumed.tolist(), strict=True))


def test_a_kit_that_is_not_stated_is_the_one_before_and_is_marked() -> None:
    assert kits_of(["", "A", "", "B", ""]) == [
        ("1/A", True),
        ("1/A", False),
        ("1/A", True),
        ("1/B", False),
        ("1/B", True),
    ]


def test_where_no_kit_is_ever_stated_nothing_is_assumed() -> None:
    assert kits_of(["", ""]) == [("1", False), ("1", False)]


def test_of_another_laboratory_no_kit_is_taken_over() -> None:
    table = results_table([30, 31], segment=["1/A", "2"], laboratory=["1", "2"])
    columns = History(patients=patients_table(), results=table).result_columns

    assert [columns.segments[each] for each in columns.segment] == ["1/A", "2"]


def test_of_two_results_of_one_moment_the_silent_one_is_left_alone() -> None:
    table = results_table(
        [30, 31, 32], weeks=[0, 1, 1], segment=["1/A", "1/A", "1"], laboratory="1"
    )
    columns = History(patients=patients_table(), results=table).result_columns

    assert sorted(columns.segments[each] for each in columns.segment) == ["1", "1/A", "1/A"]


def test_each_marker_is_looked_at_by_itself() -> None:
    one = results_table([30, 31], matrix=["serum", "serum"])
    other = results_table([2, 3], analyte="IL-6", matrix="")
    columns = History(patients=patients_table(), results=pd.concat([one, other])).result_columns

    pairs = zip(columns.analyte.tolist(), columns.segment.tolist(), strict=True)
    named = {(analyte, columns.segments[segment]) for analyte, segment in pairs}
    assert named == {(0, "1/kit/serum"), (1, "1/kit")}


rows = st.lists(
    st.tuples(
        st.sampled_from(FLUIDS),
        st.sampled_from(["", "L1", "L2"]),
        st.sampled_from(["", "slight", "moderate", "gross"]),
        st.sampled_from([7.0, 8.5, 14.0]),
        st.floats(min_value=15, max_value=60),
        st.booleans(),
        st.sampled_from(["1", "1/A", "1/B"]),
    ),
    min_size=1,
    max_size=6,
)


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(told: list[tuple], random: object) -> None:  # type: ignore[type-arg]
    fluids, lots, haemolyses, hours, values, unfit, kits = map(list, zip(*told, strict=True))
    table = results_table(
        values,
        matrix=fluids,
        lot=lots,
        haemolysis=haemolyses,
        local_hour=hours,
        is_unsuitable=unfit,
        segment=kits,
        laboratory="1",
    )
    order = list(range(len(table)))
    random.shuffle(order)  # type: ignore[attr-defined]

    first, second = (
        estimate_cohort(History(patients=patients_table(), results=each), at=week(8))
        for each in (table, table.iloc[order].reset_index(drop=True))
    )

    assert list(first) == list(second)


def test_of_two_courses_that_begin_on_one_day_one_may_end_at_once_in_either_order() -> None:
    long, short = trials_table([(0, None)]), trials_table([(0, 0)], first_id=2)

    taken = [
        History(
            patients=patients_table(), trials=pd.concat(both, ignore_index=True)
        ).trial_columns.trial_id.tolist()
        for both in ([long, short], [short, long])
    ]

    assert taken == [[2, 1], [2, 1]]  # the one that runs is the later


def test_a_kit_that_a_later_result_states_was_not_known_before() -> None:
    release = CURRENT_RELEASE.markers["sIL-6R"]
    levels = replace(release, levels={"lab": 0.0, "lab/kit": 0.3})
    knows = replace(CURRENT_RELEASE, markers=CURRENT_RELEASE.markers | {"sIL-6R": levels})
    early = results_table([40.0, 41.0], weeks=[0, 2], segment="lab", laboratory="lab")
    later = results_table([55.0], weeks=[20], segment="lab/kit", laboratory="lab")
    fluid = later.assign(segment="lab", matrix="serum")
    patients = patients_table()
    alone = History(patients=patients, results=early)

    for further, named in ((later, "lab/kit"), (fluid, "lab/serum")):
        both = pd.concat([early.assign(matrix=""), further.assign(matrix=fluid["matrix"])])
        both = both if further is fluid else both.drop(columns="matrix")
        record = History(patients=patients, results=both)
        (then,) = estimate_cohort(record, at=week(5), release=knows)
        (now,) = estimate_cohort(record, at=week(20), release=knows)

        assert [then] == list(estimate_cohort(alone, at=week(5), release=knows))
        assert then.trajectories[0].segment == "lab"
        assert now.trajectories[0].segment == named
        assert now.trajectories[0].n_scored == 3
        draws = training_draws(record, at=week(5), release=knows)
        pd.testing.assert_frame_equal(draws, training_draws(alone, at=week(5), release=knows))
