"""The versions of a site's table of least doses, in words."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from analytics.doses import TABLE_VERSION
from monitoring.actors import actor
from monitoring.charts import clinical_date
from patients.models import DoseTableChange, Site


def table_version(site: Site) -> str:
    """Name the version that is in force at a site, as assessments print it."""
    last = site.dose_changes.order_by("-number").first()
    return TABLE_VERSION if last is None else version_of(last)


def version_of(change: DoseTableChange) -> str:
    """Name the version that a change has made."""
    day = clinical_date(change.changed_on)
    return f"{TABLE_VERSION}, changed by this site on {day} ({change.number})"


@dataclass(frozen=True)
class DoseChange:
    """One change of the table: its number and day, who made it, and what was changed."""

    number: int
    day: str
    by: str
    lines: tuple[str, ...]

    @classmethod
    def of(cls, change: DoseTableChange) -> "DoseChange":
        """Put a change into words."""
        return cls(
            number=change.number,
            day=clinical_date(change.changed_on),
            by=actor(change.changed_by),
            lines=tuple(_line(each) for each in change.changes),
        )


def _line(said: dict[str, str | None]) -> str:
    nothing = _("the default, or none")
    words = _("%(drug)s (%(atc)s): %(before)s, now %(now)s") % {
        "drug": said["drug"],
        "atc": said["atc"],
        "before": nothing if said["before_mg"] is None else f"{said['before_mg']} mg",
        "now": nothing if said["least_mg"] is None else f"{said['least_mg']} mg",
    }
    return f"{words}; {said['source']}" if said["source"] else words
