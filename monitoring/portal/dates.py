"""How the pages write dates, times and durations: as clinical screens do, whatever the region.

Clinical times stand in the site's zone, system times in the reader's; the zone is named where the
two differ.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitoring.charts import clinical_date


def day(on: date) -> SafeString:
    """Write a date for people and machines: 05-Oct-2026."""
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), clinical_date(on))


def clinical_day(at: datetime, *, zone: ZoneInfo) -> SafeString:
    """Write the day of a clinical event, by the calendar of the site."""
    return day(at.astimezone(zone).date())


def clinical_moment(at: datetime, *, zone: ZoneInfo) -> SafeString:
    """Write the time of a clinical event on the site's clock."""
    local = at.astimezone(zone)
    differs = local.utcoffset() != timezone.localtime(at).utcoffset()
    return moment(local, with_zone=differs)


def system_moment(at: datetime) -> SafeString:
    """Write the time of a system event on the reader's clock."""
    return moment(timezone.localtime(at), with_zone=False)


def moment(local: datetime, *, with_zone: bool) -> SafeString:
    """Write a time on the clock that it is given on: 05-Oct-2026 14:05."""
    zone = f" {local:%Z}" if with_zone else ""
    return format_html(
        '<time datetime="{}">{} {}{}</time>',
        local.isoformat(timespec="seconds"),
        clinical_date(local.date()),
        f"{local:%H:%M}",
        zone,
    )


def duration(days: int) -> str:
    """Write a duration in whole units: 3 weeks 2 days."""
    weeks, rest = divmod(days, 7)
    in_weeks = ngettext("%(n)d week", "%(n)d weeks", weeks) % {"n": weeks}
    in_days = ngettext("%(n)d day", "%(n)d days", rest) % {"n": rest}
    if not weeks:
        return in_days
    if not rest:
        return in_weeks
    return _("%(weeks)s %(days)s") % {"weeks": in_weeks, "days": in_days}


def waited(since: datetime, *, at: datetime) -> str:
    """Write how long something has waited, in its largest whole unit."""
    minutes = max(int((at - since).total_seconds() // 60), 0)
    if minutes < 60:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 24:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return duration(hours // 24)


def age(born_on: date, *, on: date) -> int:
    """Count the birthdays that have passed."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def plain_moment(at: datetime) -> str:
    """Write the time of a system event within a sentence, on the reader's clock."""
    local = timezone.localtime(at)
    return f"{clinical_date(local.date())} {local:%H:%M}"
