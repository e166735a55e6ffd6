"""A clinic's own system sends ratings by a key of the care team."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0013_kits_are_for_a_fluid")]

    operations = [
        migrations.CreateModel(
            name="TeamKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("hint", models.CharField(max_length=8)),
                ("issued_at", models.DateTimeField()),
                ("issued_by", models.CharField(max_length=100)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_by", models.CharField(blank=True, default="", max_length=100)),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keys",
                        to="patients.careteam",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revoked_at", None), ("revoked_by", "")),
                            models.Q(
                                ("revoked_at__isnull", False),
                                models.Q(("revoked_by", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="a_revoked_key_of_a_team_says_when_and_by_whom",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("team", "name"),
                        name="one_live_key_per_team_and_name",
                    ),
                ],
            },
        ),
    ]
