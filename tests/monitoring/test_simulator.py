"""The invented laboratory: the same seed says the same, and all that can go wrong is in it."""

from monitoring.simulator.dialects import DIALECTS
from monitoring.simulator.stream import What, stream


def test_the_same_seed_gives_the_same_stream_and_another_one_another() -> None:
    assert stream(seed=5, draws=40) == stream(seed=5, draws=40)
    assert stream(seed=5, draws=40) != stream(seed=6, draws=40)


def test_everything_that_happens_to_results_happens_in_it() -> None:
    said = stream(seed=5, draws=100).sayings

    assert {each.what for each in said} == set(What)
    assert any(each.is_repeated for each in said)
    assert any(each.comparator for each in said)


def _overtaken(*, keeps_order: bool) -> bool:
    said = stream(seed=5, draws=100, keeps_order=keeps_order).sayings
    new = [each for each in said if not each.is_repeated and each.what != What.FAULT]
    latest: dict[str, object] = {}
    for each in new:
        if str(each.issued_at) < str(latest.get(each.name, "")):
            return True
        latest[each.name] = each.issued_at
    return False


def test_later_words_overtake_earlier_ones_where_the_dialect_can_tell() -> None:
    assert _overtaken(keeps_order=False)
    assert not _overtaken(keeps_order=True)


def test_the_last_word_is_the_one_that_was_issued_last() -> None:
    said = stream(seed=5, draws=100)

    for each in said.sayings:
        if each.what != What.FAULT:
            assert each.issued_at <= said.last[each.name].issued_at


def test_every_message_is_marked_as_made_up() -> None:
    for dialect in DIALECTS.values():
        for saying in stream(seed=5, draws=20).sayings:
            assert b"SIM-5-" in dialect.write(saying).body
