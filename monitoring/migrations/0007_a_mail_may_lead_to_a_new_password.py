from django.db import migrations, models

URGENCIES = [
    ("prompt", "at once"),
    ("digest", "with the daily digest"),
    ("operation", "about the running of the site"),
    ("password", "with the way to a new password"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0006_safety_flags_are_told_again"),
    ]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="urgency",
            field=models.CharField(choices=URGENCIES, max_length=10),
        )
        for model in ("alert", "delivery")
    ]
