"""When the reader's day is, and at what hour of it the digest comes."""

from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy


class PreferencesForm(forms.Form):
    """The reader's own settings."""

    digest_hour = forms.TypedChoiceField(
        label=gettext_lazy("Hour of the daily digest"),
        choices=[(str(hour), f"{hour:02d}:00") for hour in range(24)],
        coerce=int,
        help_text=gettext_lazy("24-hour clock, in your own time zone. Nothing to say: no mail."),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=[(name, name) for name in sorted(available_timezones())],
    )
