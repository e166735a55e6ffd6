"""Results get public names, and versions that are ordered by when they were issued."""

import django.contrib.postgres.functions
import django.db.models.deletion
import uuid
from django.db import migrations, models


# Until now a result was one analyte of one draw, and a draw whose time was put right took copies of
# its results along. All of these are versions of one result.
_ONE_NAME_FOR_ALL_VERSIONS = """
UPDATE patients_result AS result
   SET public_id = line.public_id, version = line.version, sent_status = result.status
  FROM (SELECT result.id,
               first_value(result.public_id) OVER of_one AS public_id,
               row_number() OVER of_one AS version
          FROM patients_result AS result JOIN patients_draw AS draw ON draw.id = result.draw_id
        WINDOW of_one AS (PARTITION BY draw.public_id, result.analyte_id
                          ORDER BY result.recorded_at, result.id)) AS line
 WHERE line.id = result.id;
-- what the rows have to be checked for is checked now, so that the table can be altered further
SET CONSTRAINTS ALL IMMEDIATE
"""
# What waits was told no names of its results yet; here they are
_NAMES_FOR_WHAT_WAITS = """
INSERT INTO patients_parkedresult (parked_id, position, line)
SELECT parked.id, result.position - 1, gen_random_uuid()
  FROM patients_parked AS parked,
       jsonb_array_elements(parked.report -> 'results') WITH ORDINALITY AS result (sent, position)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0003_parked_draws_in_the_shared_form'),
    ]

    operations = [
        migrations.CreateModel(
            name='ParkedResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('line', models.UUIDField()),
            ],
        ),
        migrations.CreateModel(
            name='ResultName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('system', models.CharField(blank=True, max_length=200)),
                ('value', models.CharField(max_length=200)),
                ('line', models.UUIDField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='draw',
            name='one_draw_per_laboratory_and_accession',
        ),
        migrations.RemoveConstraint(
            model_name='result',
            name='versions_of_a_result_are_numbered',
        ),
        migrations.RemoveConstraint(
            model_name='result',
            name='a_result_has_a_status_we_know',
        ),
        migrations.RemoveConstraint(
            model_name='result',
            name='only_a_cancelled_result_has_no_value',
        ),
        migrations.AddField(
            model_name='draw',
            name='collected_precision',
            field=models.CharField(choices=[('minute', 'to the minute'), ('day', 'to the day')], db_default='minute', default='minute', max_length=10),
        ),
        migrations.AddField(
            model_name='draw',
            name='specimen',
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='result',
            name='absent_reason',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='result',
            name='issued_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='result',
            name='kit',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='result',
            name='notes',
            field=models.TextField(blank=True, db_default='', default=''),
        ),
        migrations.AddField(
            model_name='result',
            name='pointer',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='result',
            name='public_id',
            field=models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False),
        ),
        migrations.AddField(
            model_name='result',
            name='sent_status',
            field=models.CharField(blank=True, db_default='', default='', max_length=20),
        ),
        migrations.AlterField(
            model_name='draw',
            name='accession',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AlterField(
            model_name='result',
            name='sent_unit',
            field=models.CharField(blank=True, default='', max_length=50),
        ),
        migrations.AlterField(
            model_name='result',
            name='status',
            field=models.CharField(choices=[('registered', 'pending'), ('preliminary', 'preliminary'), ('final', 'final'), ('amended', 'amended'), ('corrected', 'corrected'), ('cancelled', 'cancelled'), ('entered-in-error', 'entered in error')], max_length=20),
        ),
        migrations.AddConstraint(
            model_name='draw',
            constraint=models.UniqueConstraint(condition=models.Q(('superseded_at', None), models.Q(('accession', ''), _negated=True)), fields=('laboratory', 'accession'), name='one_draw_per_laboratory_and_accession'),
        ),
        migrations.AddConstraint(
            model_name='draw',
            constraint=models.CheckConstraint(condition=models.Q(('collected_precision__in', ['minute', 'day'])), name='a_draw_is_exact_to_the_day_or_better'),
        ),
        migrations.RunSQL(_ONE_NAME_FOR_ALL_VERSIONS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='result',
            constraint=models.UniqueConstraint(fields=('public_id', 'version'), name='versions_of_a_result_are_numbered'),
        ),
        migrations.AddConstraint(
            model_name='result',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['registered', 'preliminary', 'final', 'amended', 'corrected', 'cancelled', 'entered-in-error'])), name='a_result_has_a_status_we_know'),
        ),
        migrations.AddConstraint(
            model_name='result',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['registered', 'cancelled', 'entered-in-error']), ('value', None)), models.Q(models.Q(('status__in', ['registered', 'cancelled', 'entered-in-error']), _negated=True), ('absent_reason', ''), ('value__isnull', False)), models.Q(models.Q(('status__in', ['registered', 'cancelled', 'entered-in-error']), _negated=True), ('value', None), models.Q(('absent_reason', ''), _negated=True)), _connector='OR'), name='a_result_has_a_value_or_says_why_not'),
        ),
        migrations.AddField(
            model_name='parkedresult',
            name='parked',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='results', to='patients.parked'),
        ),
        migrations.AddField(
            model_name='resultname',
            name='laboratory',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.laboratory'),
        ),
        migrations.AddIndex(
            model_name='parkedresult',
            index=models.Index(fields=['line'], name='parked_results_by_name'),
        ),
        migrations.AddConstraint(
            model_name='parkedresult',
            constraint=models.UniqueConstraint(fields=('parked', 'position'), name='a_parked_result_has_one_name'),
        ),
        migrations.AddIndex(
            model_name='resultname',
            index=models.Index(fields=['line'], name='names_of_a_result'),
        ),
        migrations.AddConstraint(
            model_name='resultname',
            constraint=models.UniqueConstraint(fields=('laboratory', 'system', 'value'), name='a_name_means_one_result_of_a_laboratory'),
        ),
        migrations.AddConstraint(
            model_name='resultname',
            constraint=models.CheckConstraint(condition=models.Q(('value', ''), _negated=True), name='a_name_of_a_result_is_not_empty'),
        ),
        migrations.RunSQL(_NAMES_FOR_WHAT_WAITS, migrations.RunSQL.noop),
    ]
