"""How a draw was measured: what was seen of its sample, and kit, lot and run of each result."""

from collections.abc import Callable, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.models import Draw, Result

_GRADES: dict[str, Promise] = {
    "none": gettext_lazy("none"),
    "slight": gettext_lazy("slight"),
    "moderate": gettext_lazy("moderate"),
    "gross": gettext_lazy("gross"),
}
_OF_SAMPLE: dict[str, Promise] = {
    "matrix": gettext_lazy("%s"),
    "tube": gettext_lazy("tube %s"),
    "haemolysis": gettext_lazy("haemolysis %s"),
    "haemolysis_index": gettext_lazy("haemolysis index %s"),
    "lipaemia": gettext_lazy("lipaemia %s"),
    "icterus": gettext_lazy("icterus %s"),
    "freeze_thaw_cycles": gettext_lazy("thawed %s times"),
    "storage": gettext_lazy("stored at %s"),
    "processed_at": gettext_lazy("processed %s"),
    "notes": gettext_lazy("“%s”"),
}
_MEASURED: dict[str, Promise] = {
    "run": gettext_lazy("run %s"),
    "calibrator": gettext_lazy("calibrator %s"),
    "dilution": gettext_lazy("diluted %s"),
    "replicate_cv_percent": gettext_lazy("replicate CV %s %%"),
}
_ATTRIBUTES: tuple[tuple[Callable[[Result], str], Promise], ...] = (
    (lambda result: result.method, gettext_lazy("method %s")),
    (lambda result: result.kit, gettext_lazy("kit %s")),
    (lambda result: result.lot, gettext_lazy("lot %s")),
)


def in_words(draw: Draw, results: Sequence[Result]) -> list[tuple[str, str]]:
    """Say, under a name each, what is known of the sample and of the measuring; nothing else."""
    said = [(_("Sample"), _sample(draw.specimen or {}))]
    said += [(result.analyte.code, _result(result)) for result in results]
    return [(name, text) for name, text in said if text]


def _sample(specimen: dict[str, object]) -> str:
    return ", ".join(
        str(words) % _GRADES.get(str(specimen[name]), specimen[name])
        for name, words in _OF_SAMPLE.items()
        if specimen.get(name) not in (None, "")
    )


def _result(result: Result) -> str:
    measurement = result.measurement or {}
    said = [str(words) % text for read, words in _ATTRIBUTES if (text := read(result))]
    said += [
        str(words) % measurement[name] for name, words in _MEASURED.items() if measurement.get(name)
    ]
    return ", ".join(said)
