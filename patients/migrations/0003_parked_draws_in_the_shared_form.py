"""Parked draws are kept in the shared form of all dialects."""

from typing import Any

from django.db import migrations


def _shared(panel: dict[str, Any]) -> dict[str, Any]:
    at = panel["collected_at"]
    return {
        "accession": panel["accession"],
        "patients": [panel["patient"]],
        "times": [{"role": "collected", "text": at, "at": at}],
        "results": [
            {
                "codes": [{"code": result["analyte"]}],
                "value": result["value"],
                "unit": result["unit"] or "",
                "comparator": result["comparator"] or "",
                "status": result["status"],
                "method": result["method"],
                "lot": result["lot"],
            }
            for result in panel["results"]
        ],
    }


def _convert(apps: Any, _schema_editor: Any) -> None:
    parked = apps.get_model("patients", "Parked")
    for each in parked.objects.all():
        each.report = _shared(each.report)
        each.save(update_fields=["report"])


class Migration(migrations.Migration):
    dependencies = [("patients", "0002_the_catalogue_of_analytes")]

    operations = [
        migrations.RenameField("parked", "panel", "report"),
        migrations.RunPython(_convert, migrations.RunPython.noop),
    ]
