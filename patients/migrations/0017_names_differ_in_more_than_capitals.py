"""Laboratories, sites and teams are told apart by their names, whatever the capitals."""

from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("patients", "0016_keys_of_care_teams_say_when_they_were_used")]

    operations = [
        migrations.AddConstraint(
            model_name="laboratory",
            constraint=models.UniqueConstraint(
                Lower("name"), name="one_laboratory_per_name_in_any_case"
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.UniqueConstraint(Lower("name"), name="one_site_per_name_in_any_case"),
        ),
        migrations.AddConstraint(
            model_name="careteam",
            constraint=models.UniqueConstraint(
                "site", Lower("name"), name="one_team_per_site_and_name_in_any_case"
            ),
        ),
    ]
