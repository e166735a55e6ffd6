"""Run, calibrator, dilution and replicate CV of a result."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0014_care_teams_have_keys")]

    operations = [
        migrations.AddField(
            model_name="result",
            name="measurement",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
