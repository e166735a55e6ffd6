"""Keep what an assessment says in its row: most are over 2 kB, and a table beside costs a tenth."""

from typing import ClassVar

from django.db import migrations

TABLE = "monitoring_riskassessment"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("monitoring", "0007_a_mail_may_lead_to_a_new_password")]

    operations: ClassVar = [
        migrations.RunSQL(
            f"ALTER TABLE {TABLE} SET (toast_tuple_target = 4080)",
            f"ALTER TABLE {TABLE} RESET (toast_tuple_target)",
        )
    ]
