"""Who is to be told of a positive answer on self-harm, and when: by name, from the team's own list.

A team in which nobody holds a duty tells everybody; that is said on the pages, for what everybody
is told, nobody may feel named by.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.models import CrisisPlan, EscalationStep, Flag
from patients.models import Clinician, Membership, Role, SafetyDuty, Site


@dataclass(frozen=True)
class Team:
    """The active members of one team, with their duties."""

    members: tuple[Membership, ...]

    def holders(self, duty: SafetyDuty) -> list[Clinician]:
        """Name those who hold a duty; a team lead is told as lead where nobody else is named."""
        named = [each.clinician for each in self.members if each.safety_duty == duty]
        if not named and duty is SafetyDuty.LEAD:
            named = [each.clinician for each in self.members if each.role == Role.LEAD]
        return named

    @property
    def everybody(self) -> list[Clinician]:
        return [each.clinician for each in self.members]


def team_of(team_id: int) -> Team:
    """Read who is in a team and may sign in."""
    members = Membership.objects.select_related("clinician").filter(
        team=team_id, clinician__is_active=True
    )
    return Team(tuple(members.order_by("since", "pk")))


def first_told(flag: Flag, team: Team) -> list[Clinician]:
    """Name who is told at once: the patient's own clinician, else who is first, else everybody."""
    named = flag.patient.named_clinician_id
    own = [each for each in team.everybody if each.pk == named]
    return own or team.holders(SafetyDuty.FIRST) or team.everybody


def told_at(step: EscalationStep, flag: Flag, team: Team) -> list[Clinician]:
    """Name who is told at a step of the timer; where nobody is named for it, everybody is."""
    match step:
        case EscalationStep.COVER:
            return team.holders(SafetyDuty.COVER) or team.everybody
        case EscalationStep.LEAD:
            return team.holders(SafetyDuty.LEAD) or team.everybody
        case EscalationStep.UNCLOSED:
            leads = team.holders(SafetyDuty.LEAD)
            return list(dict.fromkeys([*_owner(flag, team), *leads])) or team.everybody
        case EscalationStep.REMINDER:
            everyone = [
                *_owner(flag, team),
                *first_told(flag, team),
                *told_at(EscalationStep.COVER, flag, team),
                *told_at(EscalationStep.LEAD, flag, team),
            ]
            return list(dict.fromkeys(everyone))


def _owner(flag: Flag, team: Team) -> list[Clinician]:
    return [each for each in team.everybody if each.pk == flag.owner_id]


def names(people: Sequence[Clinician]) -> str:
    """Write people one after the other."""
    return ", ".join(str(each) for each in people)


def plan_of(site: Site) -> CrisisPlan:
    """Give the site's own plan, or one that holds nothing but the defaults."""
    found = CrisisPlan.objects.filter(pk=site.pk).first()
    return found or CrisisPlan(site=site)
