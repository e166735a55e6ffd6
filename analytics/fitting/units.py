"""What is not learned from: no training set, or levels of another unit than the prior's."""

import numpy as np

from analytics.evidence import FIRST_IMPLAUSIBLE_Z
from analytics.fitting.labels import TrainingSet
from analytics.fitting.model import TrainingPrior
from analytics.fitting.reading import BadDraw
from analytics.fitting.sufficient import SufficientStatistics


def refuse_another_unit(statistics: SufficientStatistics, prior: TrainingPrior) -> None:
    """Refuse levels that by the prior's own law hardly anybody has.

    A first draw so far off is held in scoring. One such patient may be rare and confirmed; where
    the median patient is one, the levels are concentrations instead of their logarithms, or of
    another unit.

    Parameters
    ----------
    statistics : SufficientStatistics
        Of the labelled patients.
    prior : TrainingPrior
        Of the same markers.

    Raises
    ------
    BadDraw
    """
    for k, name in enumerate(statistics.markers):
        [seen] = statistics.n[:, k].nonzero()
        if not len(seen):
            continue
        n = statistics.n[seen, k]
        weeks = statistics.t[seen, k] / n + statistics.week_origin
        level = statistics.y[seen, k] / n + statistics.level_origin[k]
        own, z = slice(2 * k, 2 * k + 2), np.column_stack([np.ones_like(weeks), weeks])
        usual = z @ ((1 - prior.mixing) * prior.effects[0] + prior.mixing * prior.effects[1])[own]
        spread = prior.covariance[own, own] + prior.effects_covariance[own, own]
        variance = np.einsum("ni,ij,nj->n", z, spread, z) + prior.residual_variance[k] / n
        far = np.abs(level - usual) / np.sqrt(variance)
        if np.median(far) > FIRST_IMPLAUSIBLE_Z.value:
            row = int(np.argsort(far)[len(far) // 2])
            raise BadDraw(
                f"patient {statistics.patient_ids[seen[row]]}, marker {name!r}: a mean level of "
                f"{level[row]:.4g}, and so at least half of the patients - levels near "
                f"{usual[row]:.3g} are needed, the unit of the prior (natural logarithms of the "
                "concentration)"
            )


def need_training(data: object, prior: object) -> None:
    """Refuse what is no training set, or no prior."""
    for name, given, kind, source in (
        ("data", data, TrainingSet, "training_set(draws, labels, ...)"),
        ("prior", prior, TrainingPrior, "published_prior(release)"),
    ):
        if not isinstance(given, kind):
            raise TypeError(
                f"{name}: {type(given).__name__}; wanted: a {kind.__name__}, as {source} gives it"
            )
