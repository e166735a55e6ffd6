"""What an assessment need not cost: being compressed.

PostgreSQL tries to compress a row of more than two kilobytes, which took a third of the time of
writing one and saved a quarter of its room; rows up to half a page stay as they are.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0002_a_place_for_sign_in_limits")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE monitoring_riskassessment SET (toast_tuple_target = 4080)",
            "ALTER TABLE monitoring_riskassessment RESET (toast_tuple_target)",
        ),
    ]
