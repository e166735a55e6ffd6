"""A site's own least adequate doses: each change is a version of its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from patients import audit
from patients.models import DoseTableChange, Patient, Site, SiteDose
from patients.record.versions import count_up


@dataclass(frozen=True)
class LeastDose:
    """What a site says of one drug: its least adequate daily dose; None takes the site's back."""

    atc: str
    drug: str
    least_mg: Decimal | None
    source: str = ""


@transaction.atomic
def change_least_doses(
    *, site: Site, said: Sequence[LeastDose], by: str, at: datetime
) -> DoseTableChange | None:
    """Set a site's own least doses, or take them back; who takes these drugs is assessed anew.

    All that is said at once is one version of the table; what was said before is none.
    """
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    own = {each.atc: each for each in SiteDose.objects.filter(site=site)}
    changes = []
    for each in said:
        if _stands(own.get(each.atc), each):
            continue
        before = own.get(each.atc)
        _set(site, each, by=by, at=at)
        changes.append(
            {
                "atc": each.atc,
                "drug": each.drug,
                "before_mg": None if before is None else f"{before.least_mg.normalize():f}",
                "least_mg": None if each.least_mg is None else f"{each.least_mg.normalize():f}",
                "source": each.source,
            }
        )
    if not changes:
        return None
    last = DoseTableChange.objects.filter(site=site).order_by("-number").first()
    change = DoseTableChange.objects.create(
        site=site,
        number=1 if last is None else last.number + 1,
        changes=changes,
        changed_on=at.astimezone(site.zone).date(),
        changed_at=at,
        changed_by=by,
    )
    audit.write(
        verb="change_least_doses",
        subject=f"site:{site.pk}",
        by=by,
        at=at,
        number=change.number,
        changes=changes,
    )
    codes = [each["atc"] for each in changes]
    taking = Patient.objects.filter(team__site=site, trials__atc__in=codes)
    count_up(taking.values_list("pk", flat=True), at=at)
    return change


def _stands(own: SiteDose | None, said: LeastDose) -> bool:
    if own is None or said.least_mg is None:
        return own is None and said.least_mg is None
    return (own.drug, own.least_mg, own.source) == (said.drug, said.least_mg, said.source)


def _set(site: Site, said: LeastDose, *, by: str, at: datetime) -> None:
    if said.least_mg is None:
        SiteDose.objects.filter(site=site, atc=said.atc).delete()
        return
    SiteDose.objects.update_or_create(
        site=site,
        atc=said.atc,
        defaults={
            "drug": said.drug,
            "least_mg": said.least_mg,
            "source": said.source,
            "changed_at": at,
            "changed_by": by,
        },
    )
