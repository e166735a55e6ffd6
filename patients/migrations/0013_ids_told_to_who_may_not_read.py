from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0012_a_verdict_says_what_it_saw'),
    ]

    operations = [
        migrations.AddField(
            model_name='resultname',
            name='is_alias',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
