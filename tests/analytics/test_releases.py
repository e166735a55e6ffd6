"""Releases: what is shipped can be read, and what is damaged or foreign is refused."""

import json
import re
from dataclasses import replace
from math import exp, inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics import (
    CURRENT_RELEASE,
    History,
    Release,
    ReleaseIsUnfit,
    estimate_cohort,
    evidence,
)
from analytics.releases import checksum, dump, load, load_shipped, parse
from analytics.releases.checks import CARD, CARD_BESIDES
from analytics.releases.prevalence import with_prevalence
from tests.analytics.cohorts import patients_table, ratings_table, results_table, week
from tests.analytics.joint_release import joint_release, release_apart

TEXT = dump(CURRENT_RELEASE)


def signed(**changes: Any) -> str:
    content = json.loads(TEXT) | changes
    return json.dumps(content | {"checksum": checksum(content)})


def within(field: str, name: str | None, **changes: Any) -> str:
    whole = json.loads(TEXT)[field]
    if name is None:
        return signed(**{field: whole | changes})
    return signed(**{field: whole | {name: whole.get(name, {}) | changes}})


def test_the_shipped_release_is_the_current_one_and_says_what_it_rests_on() -> None:
    shipped = load_shipped("published-prior-1")

    assert shipped == CURRENT_RELEASE
    assert shipped.basis == "prior only"
    assert "n=42" in shipped.card["status"]


def test_the_shipped_release_holds_the_constants_of_the_evidence() -> None:
    contrast, marker = CURRENT_RELEASE.contrast, CURRENT_RELEASE.markers["sIL-6R"]

    assert contrast.shrinkage == evidence.CONTRAST_SHRINKAGE.value
    assert contrast.delta[0] + 12 * contrast.delta[1] == pytest.approx(evidence.CONTRAST_LN.value)
    assert contrast.delta[0] == pytest.approx(0.095)
    assert exp(marker.mean[0]) == pytest.approx(evidence.LEVEL_SIL6R.value)
    assert CURRENT_RELEASE.evidence.prevalence == evidence.TRD_PREVALENCE.value


def test_the_uncertainty_of_the_contrast_at_week_twelve_is_the_published_one() -> None:
    v00, v01, v11 = CURRENT_RELEASE.contrast.covariance

    at_twelve = v00 + 24 * v01 + 144 * v11

    assert at_twelve == pytest.approx(evidence.CONTRAST_SE.value**2)


def test_a_release_survives_writing_and_reading(tmp_path: Path) -> None:
    contrast = replace(CURRENT_RELEASE.contrast, cap=inf, ramp_weeks=inf)
    path = tmp_path / "local.json"
    path.write_text(dump(replace(CURRENT_RELEASE, version="local-1", contrast=contrast)))

    found = load(path)

    assert load(str(path)) == found
    assert (found.version, found.contrast) == ("local-1", contrast)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TEXT[:-40], "not JSON"),
        (TEXT.replace("0.7", "0.9"), "checksum"),
        (TEXT.replace('"prior only"', '"local labels"'), "checksum"),
        ("[]", "not a release"),
        (signed(format="pickle/4"), "not a release"),
        (signed(contrast={}), "missing"),
        (signed(recalibration=[0]), "2 numbers"),
        (signed(variance_covariance=[[1, 0, 0, 0]]), "4 x 4"),
        (signed(evidence={"prevalence": 1.0}), "missing"),
        (TEXT.replace("0.7,", "NaN,"), "NaN"),
        (signed(trees=[1]), "trees; wanted: only the fields of a release"),
        (signed(version=" "), "version ' '; wanted: a name"),
        (signed(recalibration=[0, -1]), "recalibration .*; wanted: a slope of at least zero"),
        (signed(code_version=" "), "code_version"),
        (signed(basis="local labels"), "fingerprint ''; wanted: that of the data"),
        (within("markers", "IL-6", assay_cv=8.0), "IL-6.assay_cv 8.0; .*0.07 for 7 %"),
        (within("markers", "IL-6", within_cv=30.0), "IL-6.within_cv 30.0; .*0.07 for 7 %"),
        (within("markers", "IL-6", residul=0.1), "markers.IL-6: residul; wanted: only mean"),
        (within("markers", "IL-7", mean=[0, 0]), "markers: IL-7; wanted: only sIL-6R"),
        (within("contrast", None, kap=0.1), "contrast: kap; wanted: only delta"),
        (TEXT.replace('"version":', '"version": "other", "version":', 1), "'version' stands twice"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused(text: str, told: str) -> None:
    with pytest.raises(ReleaseIsUnfit, match=told):
        parse(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (signed(version=None), "version: None; wanted: a text"),
        (signed(code_version=["x"]), r"code_version: \['x'\]; wanted: a text"),
        (signed(fingerprint=0), "fingerprint: 0; wanted: a text"),
        (signed(card="a card"), "card: 'a card'; wanted: an object"),
        (within("card", None, limits=5), "card.limits: 5; wanted: a text"),
        (signed(learned_from="abc"), "learned_from: 'abc'; wanted: a list of texts"),
        (signed(learned_from=[1]), "learned_from: 1; wanted: a text"),
        (signed(markers=5), "markers: 5; wanted: an object of sIL-6R"),
        (within("markers", "IL-6", levels=["lab"]), r"markers.IL-6.levels: \['lab'\]; wanted: an"),
        (within("markers", "IL-6", levels={"lab": "0"}), "IL-6.levels.lab: '0'; wanted: a number"),
        (within("markers", "IL-6", mean=[0, True]), "markers.IL-6.mean: True; wanted: a number"),
        (within("markers", "IL-6", residual=10**400), "residual: a whole number of 401 digits"),
        (within("contrast", None, markers=["IL-6"]), "contrast.markers in format"),
        (within("contrast", None, cap="none"), "contrast.cap: 'none'; wanted: a number"),
        (within("evidence", None, early_sd=None), "evidence.early_sd: None; wanted: a number"),
        (within("evidence", None, late_sd=0.1), "evidence: late_sd; wanted: only prevalence"),
        (within("evidence", None, prevalence_sd=1e9), "prevalence_sd: 1000000000.0; wanted: at"),
        (within("markers", "IL-6", residual=1e-320), "IL-6.residual 1e-320; wanted: above zero"),
        (TEXT.replace('"residual":', '"residual": ' + "9" * 5000 + "0", 1), "not JSON"),
    ],
)
def test_a_field_of_another_kind_is_refused_by_its_name_and_not_read_as_text(
    text: str, told: str
) -> None:
    with pytest.raises(ReleaseIsUnfit, match=told):
        parse(text)


@pytest.mark.parametrize("field", ["joint", "groups"])
@pytest.mark.parametrize("given", [5, [], {"kovariance": []}])
def test_a_law_of_another_kind_is_refused_by_its_name(field: str, given: object) -> None:
    content = json.loads(dump(release_apart())) | {field: given}

    with pytest.raises(ReleaseIsUnfit, match=f"^{field}: .*; wanted: (an object|only)"):
        parse(json.dumps(content | {"checksum": checksum(content)}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": 5}, "version: 5; wanted: a text"),
        ({"fingerprint": None}, "fingerprint: None; wanted: a text"),
        ({"card": {**CURRENT_RELEASE.card, "limits": np.int64(5)}}, "wanted: texts and numbers"),
        ({"recalibration": (inf, 1.0)}, "wanted: texts and numbers"),
    ],
)
def test_a_release_that_says_what_a_file_cannot_hold_is_not_handed_on(
    change: dict[str, Any], told: str
) -> None:
    with pytest.raises(ReleaseIsUnfit, match=told):
        parse(dump(replace(CURRENT_RELEASE, **change)))


@pytest.mark.parametrize("made", [CURRENT_RELEASE, joint_release(), release_apart()])
def test_a_recalibration_of_an_older_format_is_refused_and_not_read_by_a_new_meaning(
    made: Release,
) -> None:
    content = json.loads(dump(made)) | {"recalibration": [0.2, 0.8]}
    older = content["format"]
    told = rf"\[0.2, 0.8\] in format '{older}'.*'soundings-release/4'.*train this release anew"

    with pytest.raises(ReleaseIsUnfit, match=told):
        parse(json.dumps(content | {"checksum": checksum(content)}))

    newest = dump(replace(made, recalibration=(0.2, 0.8)))
    assert json.loads(newest)["format"] == "soundings-release/4"
    assert parse(newest).recalibration == (0.2, 0.8)
    assert dump(parse(newest)) == newest


def test_what_is_not_recalibrated_keeps_its_format_and_its_checksum() -> None:
    again = parse(dump(CURRENT_RELEASE))

    assert json.loads(TEXT)["format"] == "soundings-release/1"
    assert again.checksum == CURRENT_RELEASE.checksum


@pytest.mark.parametrize(("field", "said"), [("joint", 1), ("groups", 1), ("groups", 2)])
def test_a_field_of_a_later_format_is_refused(field: str, said: int) -> None:
    content = json.loads(TEXT) | {"format": f"soundings-release/{said}", field: None}

    with pytest.raises(ReleaseIsUnfit, match=f"{field} in format 'soundings-release/{said}'"):
        parse(json.dumps(content | {"checksum": checksum(content)}))


def test_a_covariance_that_cannot_be_is_refused() -> None:
    markers = json.loads(TEXT)["markers"]
    markers["sIL-6R"]["covariance"] = [0.01, 0.5, 0.01]

    with pytest.raises(ReleaseIsUnfit, match="positive semidefinite"):
        parse(signed(markers=markers))


def test_an_unknown_release_is_refused() -> None:
    with pytest.raises(ReleaseIsUnfit, match="no release"):
        load_shipped("../evidence")


@pytest.mark.parametrize("item", ["title", "data", "outcome", "performance", "limits", "status"])
@pytest.mark.parametrize("words", [None, "", "  "])
def test_a_release_without_an_item_of_its_card_is_refused(item: str, words: str | None) -> None:
    card = dict(CURRENT_RELEASE.card)
    card.pop(item)
    if words is not None:
        card[item] = words

    with pytest.raises(
        ReleaseIsUnfit, match=rf"card; wanted: the items of TRIPOD\+AI {item} \(item"
    ):
        parse(dump(replace(CURRENT_RELEASE, card=card)))


@pytest.mark.parametrize("item", [*CARD, *CARD_BESIDES])
def test_the_published_card_answers_every_item_that_applies(item: str) -> None:
    assert CURRENT_RELEASE.card[item].strip()


def test_the_prior_is_a_setting_that_leaves_what_markers_and_symptoms_add() -> None:
    history = History(
        patients=patients_table(),
        results=results_table([40.0, 42.0], weeks=[0, 4]),
        ratings=ratings_table([16, 15], weeks=[0, 4]),
    )

    release = with_prevalence(
        CURRENT_RELEASE, 0.6, sd=0.1, version="study-1", why="25 of 42 in the study"
    )

    (one,), (other,) = (
        estimate_cohort(history, at=week(8), release=each) for each in (CURRENT_RELEASE, release)
    )
    assert one.probability is not None
    assert other.probability_without_biomarker is not None
    assert one.contributions[1:] == other.contributions[1:]
    assert other.contributions[0].log_odds == pytest.approx(np.log(0.6 / 0.4))
    assert "60.0%: 25 of 42" in release.card["data"]
    assert release.checksum != CURRENT_RELEASE.checksum


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prevalence": 0.0}, "evidence.prevalence 0.0; wanted: between 0 and 1"),
        ({"prevalence": 60}, "evidence.prevalence 60.0"),
        ({"prevalence": float("nan")}, "prevalence: nan; wanted: a number"),
        ({"prevalence": "0.4"}, "prevalence: '0.4'; wanted: a number"),
        ({"sd": -0.1}, "evidence.prevalence_sd -0.1"),
        ({"sd": None}, "sd: None; wanted: a number"),
        ({"why": " "}, "why: ' '; wanted: where the prevalence comes from"),
        ({"why": None}, "why: None; wanted: where the prevalence comes from"),
        ({"version": None}, "version: None; wanted: a text"),
        ({"version": CURRENT_RELEASE.version}, "wanted: another name"),
        (
            {"release": replace(CURRENT_RELEASE, learned_from=frozenset({"a"}))},
            "trained on 1 outcomes; wanted: a release without labels",
        ),
    ],
)
def test_a_prior_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "release": CURRENT_RELEASE,
        "prevalence": 0.4,
        "sd": 0.2,
        "version": "mine-1",
        "why": "counted",
        **change,
    }

    with pytest.raises(ReleaseIsUnfit, match=re.escape(message)):
        with_prevalence(given.pop("release"), given.pop("prevalence"), **given)
