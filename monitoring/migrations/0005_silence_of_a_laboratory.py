"""A laboratory that says nothing for longer than it ever does raises a flag for operators."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0004_the_safety_path'),
        ('patients', '0006_laboratories_have_profiles'),
    ]

    operations = [
        migrations.CreateModel(
            name='Silence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last_heard_at', models.DateTimeField()),
                ('allowed_h', models.FloatField()),
                ('raised_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('laboratory', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.laboratory')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('laboratory',), name='a_laboratory_has_one_open_silence')],
            },
        ),
    ]
