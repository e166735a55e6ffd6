"""Days and times as people type them, by the calendar of the patient's site."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _

EARLIEST = date(1950, 1, 1)


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class ClockInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class DayField(forms.DateField):
    """A day that has come, by the calendar of the site."""

    widget = DayInput

    def __init__(self, *, today: date | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.today = today

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
