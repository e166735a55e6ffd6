from django.db import migrations, models
import django.db.models.deletion

# What says the same as a newer word was kept as a version behind the current one
_REPETITIONS = """
INSERT INTO patients_repetition (line, status, issued_at, issued_precision, inbound_id)
SELECT DISTINCT ON (result.public_id) result.public_id, result.sent_status, result.issued_at,
       result.issued_precision, coalesce(result.inbound_id, draw.inbound_id)
  FROM patients_result AS result JOIN patients_draw AS draw ON draw.id = result.draw_id
 WHERE result.superseded_reason = 'the laboratory said the same again, as a newer word'
   AND coalesce(result.inbound_id, draw.inbound_id) IS NOT NULL
 ORDER BY result.public_id, result.version DESC
"""


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0005_a_site_chooses_its_rules'),
    ]

    operations = [
        migrations.CreateModel(
            name='Repetition',
            fields=[
                ('line', models.UUIDField(primary_key=True, serialize=False)),
                ('status', models.CharField(max_length=20)),
                ('issued_at', models.DateTimeField(blank=True, null=True)),
                ('issued_precision', models.CharField(db_default='minute', default='minute', max_length=10)),
                ('inbound', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.inbound')),
            ],
        ),
        migrations.RunSQL(_REPETITIONS, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='parked',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['laboratory', 'accession'], name='waiting_draws_by_accession'),
        ),
    ]
