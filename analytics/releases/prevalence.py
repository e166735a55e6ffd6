"""The prior odds as a setting: the same model, told how many of a clinic are resistant."""

from dataclasses import replace

from analytics.releases import dump, parse
from analytics.releases.checks import ReleaseIsUnfit, need_release
from analytics.releases.model import Release
from analytics.scalars import is_real


def with_prevalence(
    release: Release, prevalence: float, *, sd: float, version: str, why: str
) -> Release:
    """Give a release whose prior is that of another clinic; what markers and symptoms add stays.

    Parameters
    ----------
    release : Release
        Not trained on labels: those have taught it the share already, and what marks the patients
        it has learned from is of its version. Train anew from a base with the prevalence wanted.
    prevalence : float
        Share of patients who come to meet the rule, above 0 and below 1.
    sd : float
        How unsure its log-odds are: from 100 patients counted about 0.2, of one's own judgement
        rather 0.5.
    version : str
        Name of the new release.
    why : str
        Where the figure comes from; the card says it.

    Returns
    -------
    Release
        Checked as if read from a file, with its checksum.

    Raises
    ------
    ReleaseIsUnfit
    TypeError
        `release` is none: a name, say.
    """
    need_release(release)
    if release.learned_from:
        raise ReleaseIsUnfit(
            f"{release.version} was trained on {len(release.learned_from)} outcomes; wanted: "
            "a release without labels, to be trained anew"
        )
    if version == release.version:
        raise ReleaseIsUnfit(f"version {version!r}; wanted: another name than the release's own")
    for name, given in (("prevalence", prevalence), ("sd", sd)):
        if not is_real(given):
            raise ReleaseIsUnfit(f"{name}: {given!r}; wanted: a number")
    if not isinstance(why, str) or not why.strip():
        raise ReleaseIsUnfit(f"why: {why!r}; wanted: where the prevalence comes from")
    said = f"{release.card['data']} Prevalence set to {prevalence:.1%}: {why.strip()}"
    evidence = replace(release.evidence, prevalence=float(prevalence), prevalence_sd=float(sd))
    card = {**release.card, "data": said}
    made = replace(release, version=version, evidence=evidence, card=card)
    return parse(dump(made))


__all__ = ["with_prevalence"]
