"""The cache table, in which sign-in limits are counted."""

from django.core.management import call_command
from django.db import migrations


def make_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_assessments_flags_and_alerts")]
    operations = [
        migrations.RunPython(
            make_table, migrations.RunPython.noop
        )
    ]
