"""A file of results, and whose it is."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.intake.tables.reading import Kind
from patients.models import Laboratory

_PACKED = b"PK\x03\x04"


class UploadForm(forms.Form):
    """The laboratory and its file."""

    laboratory = forms.ModelChoiceField(
        label=gettext_lazy("Laboratory"),
        queryset=Laboratory.objects.filter(is_active=True).order_by("name"),
        help_text=gettext_lazy("Its profile says how the columns are called and dates written."),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV or XLSX, at most 5 MB and 2,500 results."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )

    def clean_file(self) -> "UploadedFile[bytes]":
        """Refuse a file that is too large before it is read."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        at_most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if file.size is None or file.size > at_most:
            raise forms.ValidationError(
                _("A file has at most %(n)d MB; give it in parts.") % {"n": at_most // 1024**2}
            )
        return file

    def content(self) -> tuple[Kind, bytes]:
        """Give the bytes, and what they are by their own beginning: names of files may be wrong."""
        body: bytes = self.cleaned_data["file"].read()
        is_workbook = body.startswith(_PACKED) or self._is_called_a_workbook()
        return Kind.XLSX if is_workbook else Kind.CSV, body

    def _is_called_a_workbook(self) -> bool:
        name: Any = self.cleaned_data["file"].name
        return str(name).lower().endswith((".xlsx", ".xlsm", ".xls"))
