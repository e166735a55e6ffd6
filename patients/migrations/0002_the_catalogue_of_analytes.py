"""The four analytes that are followed, their units, and how else they are commonly written."""

from django.db import migrations

ANALYTES = [
    ("sIL-6R", "soluble interleukin-6 receptor", "ng/mL", ["SIL6R", "sIL6R", "sIL-6Rα"]),
    ("IL-6", "interleukin-6", "pg/mL", ["IL6"]),
    ("TNF-α", "tumour necrosis factor alpha", "pg/mL", ["TNF-a", "TNF-alpha", "TNFα", "TNFA"]),
    ("hs-CRP", "C-reactive protein, high sensitivity", "mg/L", ["hsCRP", "HSCRP"]),
]


def add(apps, schema_editor):
    Analyte = apps.get_model("patients", "Analyte")
    AnalyteAlias = apps.get_model("patients", "AnalyteAlias")
    for position, (code, name, unit, aliases) in enumerate(ANALYTES, start=1):
        analyte = Analyte.objects.create(code=code, name=name, unit=unit, position=position)
        for alias in aliases:
            AnalyteAlias.objects.create(code=alias, analyte=analyte)


class Migration(migrations.Migration):
    dependencies = [("patients", "0001_the_record")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
