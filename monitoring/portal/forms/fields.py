"""Days and times as people type them, by the calendar of the patient's site."""

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

EARLIEST = date(1950, 1, 1)
CLINICAL_DAY = "%d-%b-%Y"
DAY_FORMATS = (CLINICAL_DAY, "%Y-%m-%d", "%d %b %Y")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_A_DAY = re.compile(rf"\d{{1,2}}[- ](?:{_MONTHS})[- ]\d{{4}}|\d{{4}}-\d\d-\d\d", re.I | re.ASCII)


class ClockField(forms.TimeField):
    """A time on the 24-hour clock, whatever the reader's region."""

    widget = forms.TimeInput(
        format="%H:%M", attrs={"autocomplete": "off", "inputmode": "numeric", "size": 5}
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=("%H:%M", "%H.%M"), **options)
        self.error_messages["invalid"] = gettext_lazy("Write the time as 14:05.")


NO_SUCH_HOUR = gettext_lazy("The clocks were put forward over this hour; look again.")


class DayField(forms.DateField):
    """A day that has come, by the calendar of the site.

    It is typed as clinical screens write it. The browser's own picker would show 11/12/2026 or
    12/11/2026 by the reader's region, and nobody could tell which.
    """

    widget = forms.DateInput(format=CLINICAL_DAY, attrs={"autocomplete": "off"})

    def __init__(self, *, today: date | None = None, help_text: Any = "", **options: Any) -> None:
        hint = help_text or gettext_lazy("Such as 05-Oct-2026.")
        super().__init__(input_formats=DAY_FORMATS, help_text=hint, **options)
        self.today = today
        self.error_messages["invalid"] = gettext_lazy("Write the day as 05-Oct-2026.")

    def to_python(self, value: Any) -> date | None:
        """Read the day; of one that is written rightly and is none, say that."""
        try:
            day: date | None = super().to_python(value)
        except forms.ValidationError:
            if _A_DAY.fullmatch(str(value).strip()):
                raise forms.ValidationError(_("There is no such day in the calendar.")) from None
            raise
        return day

    def validate(self, value: date | None) -> None:
        """Refuse days to come, and typing errors in the year."""
        super().validate(value)
        if value is None:
            return
        if self.today is not None and value > self.today:
            raise forms.ValidationError(_("This day lies in the future."))
        if value < EARLIEST:
            raise forms.ValidationError(_("This day is too long ago; check the year."))


class SiteForm(forms.Form):
    """A form about one patient, filled in by the calendar of the patient's site."""

    def __init__(self, *args: Any, now: datetime, zone: ZoneInfo, **options: Any) -> None:
        self.now, self.zone = now, zone
        self.local = now.astimezone(zone)
        super().__init__(*args, **options)
        for field in self.fields.values():
            if isinstance(field, DayField):
                field.today = self.local.date()
