"""A laboratory says how its messages are to be read; a question about a parked draw is kept."""

import django.db.models.deletion
import patients.models.exact
import patients.models.laboratory
import patients.models.people
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0005_who_is_told_of_self_harm'),
    ]

    operations = [
        migrations.CreateModel(
            name='Kit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100)),
                ('lot', models.CharField(blank=True, default='', max_length=100)),
                ('unit', models.CharField(max_length=20)),
                ('limit_of_detection', patients.models.exact.ExactDecimalField(blank=True, decimal_places=30, max_digits=60, null=True)),
                ('upper_limit', patients.models.exact.ExactDecimalField(blank=True, decimal_places=30, max_digits=60, null=True)),
                ('cv_percent', patients.models.exact.ExactDecimalField(blank=True, decimal_places=30, max_digits=60, null=True)),
                ('used_from', models.DateField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='NumberingAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sent', models.CharField(blank=True, max_length=200)),
                ('means', models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name='UnitAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sent', models.CharField(max_length=50)),
                ('means', models.CharField(max_length=20)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='analytealias',
            name='a_code_means_one_analyte_per_laboratory',
        ),
        migrations.RemoveConstraint(
            model_name='parked',
            name='nothing_leaves_parking_without_a_name',
        ),
        migrations.AddField(
            model_name='analytealias',
            name='system',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='laboratory',
            name='charset',
            field=models.CharField(blank=True, db_default='', default='', max_length=20, verbose_name='character set of HL7 v2 where the message does not say'),
        ),
        migrations.AddField(
            model_name='laboratory',
            name='draw_times',
            field=models.JSONField(default=patients.models.laboratory.usual_draw_times),
        ),
        migrations.AddField(
            model_name='laboratory',
            name='if_preliminary',
            field=models.CharField(choices=[('record', 'show it as preliminary; it is not scored'), ('wait', 'show that a result is pending, until the final value comes')], db_default='record', default='record', max_length=10, verbose_name='preliminary values'),
        ),
        migrations.AddField(
            model_name='laboratory',
            name='processing_ids',
            field=models.JSONField(default=patients.models.laboratory.usual_processing_ids),
        ),
        migrations.AddField(
            model_name='laboratory',
            name='silent_after_h',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='hours of silence after which somebody should ask'),
        ),
        migrations.AddField(
            model_name='parked',
            name='asked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='parked',
            name='asked_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=100),
        ),
        migrations.AddField(
            model_name='parked',
            name='question',
            field=models.CharField(blank=True, db_default='', default='', max_length=1000),
        ),
        migrations.AlterField(
            model_name='analytealias',
            name='code',
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name='laboratory',
            name='is_active',
            field=models.BooleanField(default=True, verbose_name='may push'),
        ),
        migrations.AlterField(
            model_name='laboratory',
            name='name',
            field=models.CharField(max_length=100, unique=True, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='laboratory',
            name='pushes_per_minute',
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name='messages a minute at most'),
        ),
        migrations.AlterField(
            model_name='laboratory',
            name='time_zone',
            field=models.CharField(default='UTC', max_length=50, validators=[patients.models.people.check_time_zone], verbose_name='time zone'),
        ),
        migrations.AddIndex(
            model_name='inbound',
            index=models.Index(fields=['laboratory', 'received_at'], name='messages_of_a_laboratory'),
        ),
        migrations.AddConstraint(
            model_name='analytealias',
            constraint=models.UniqueConstraint(fields=('laboratory', 'system', 'code'), name='a_code_means_one_analyte_per_laboratory', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='laboratory',
            constraint=models.CheckConstraint(condition=models.Q(('if_preliminary__in', ['record', 'wait'])), name='a_preliminary_value_is_recorded_or_waits'),
        ),
        migrations.AddConstraint(
            model_name='parked',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('asked_at', None), ('asked_by', ''), ('question', '')), models.Q(('asked_at__isnull', False), models.Q(('asked_by', ''), _negated=True), models.Q(('question', ''), _negated=True)), _connector='OR'), name='a_question_to_a_laboratory_has_a_name_and_a_time'),
        ),
        migrations.AddConstraint(
            model_name='parked',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('draw', None), ('ended_at', None), ('ended_by', ''), ('state', 'waiting')), models.Q(('draw__isnull', False), ('ended_at__isnull', False), ('state', 'matched'), models.Q(('ended_by', ''), _negated=True)), models.Q(('draw', None), ('ended_at__isnull', False), ('state', 'rejected'), models.Q(('ended_by', ''), _negated=True), models.Q(('ended_reason', ''), _negated=True)), _connector='OR'), name='nothing_leaves_parking_without_a_name'),
        ),
        migrations.AddField(
            model_name='kit',
            name='analyte',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.analyte'),
        ),
        migrations.AddField(
            model_name='kit',
            name='laboratory',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='kits', to='patients.laboratory'),
        ),
        migrations.AddField(
            model_name='numberingalias',
            name='laboratory',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='numbering_aliases', to='patients.laboratory'),
        ),
        migrations.AddField(
            model_name='unitalias',
            name='laboratory',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='unit_aliases', to='patients.laboratory'),
        ),
        migrations.AddConstraint(
            model_name='kit',
            constraint=models.UniqueConstraint(fields=('laboratory', 'analyte', 'name', 'lot'), name='a_kit_and_lot_is_described_once_per_laboratory'),
        ),
        migrations.AddConstraint(
            model_name='kit',
            constraint=models.CheckConstraint(condition=models.Q(('limit_of_detection', None), ('upper_limit', None), ('upper_limit__gt', models.F('limit_of_detection')), _connector='OR'), name='a_kit_measures_between_its_limits'),
        ),
        migrations.AddConstraint(
            model_name='numberingalias',
            constraint=models.UniqueConstraint(fields=('laboratory', 'sent'), name='a_numbering_means_one_of_ours_per_laboratory'),
        ),
        migrations.AddConstraint(
            model_name='numberingalias',
            constraint=models.CheckConstraint(condition=models.Q(('means', ''), _negated=True), name='a_numbering_means_something'),
        ),
        migrations.AddConstraint(
            model_name='unitalias',
            constraint=models.UniqueConstraint(fields=('laboratory', 'sent'), name='a_spelling_means_one_unit_per_laboratory'),
        ),
    ]
