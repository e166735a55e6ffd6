"""When a key of a care team was used last, as it stands with keys of laboratories."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0015_results_say_how_they_were_measured")]

    operations = [
        migrations.AddField(
            model_name="teamkey",
            name="last_used_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
