"""A kit is for serum or for a kind of plasma: what is measured in another fluid is excluded."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0012_messages_without_spare_indexes")]

    operations = [
        migrations.AddField(
            model_name="kit",
            name="matrix",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "any"),
                    ("serum", "serum"),
                    ("plasma", "plasma"),
                    ("edta_plasma", "EDTA plasma"),
                    ("heparin_plasma", "heparin plasma"),
                    ("citrate_plasma", "citrate plasma"),
                ],
                db_default="",
                default="",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="kit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "matrix__in",
                        [
                            "",
                            "serum",
                            "plasma",
                            "edta_plasma",
                            "heparin_plasma",
                            "citrate_plasma",
                        ],
                    )
                ),
                name="a_kit_is_for_a_fluid_we_know",
            ),
        ),
    ]
