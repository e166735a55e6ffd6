"""What an assessment need not cost: a second index by patient, and being compressed.

The index of the unique constraint begins with the patient, so one by the patient alone only had to
be kept. And PostgreSQL tries to compress a row of more than two kilobytes, which took a third of the
time of writing one and saved a quarter of its room; rows up to half a page now stay as they are.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0002_a_place_for_sign_in_limits"),
        ("patients", "0001_the_record"),
    ]
    operations = [
        migrations.AlterField(
            model_name="riskassessment",
            name="patient",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assessments",
                to="patients.patient",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE monitoring_riskassessment SET (toast_tuple_target = 4080)",
            "ALTER TABLE monitoring_riskassessment RESET (toast_tuple_target)",
        ),
    ]
