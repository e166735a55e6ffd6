from django.db import migrations, models
import django.db.models.deletion


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0007_sites_name_their_own_drugs'),
    ]

    operations = [
        migrations.AddField(
            model_name='identifier',
            name='laboratory',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='patients.laboratory'),
        ),
        migrations.RemoveConstraint(
            model_name='identifier',
            name='an_identifier_names_one_patient',
        ),
        migrations.AddConstraint(
            model_name='identifier',
            constraint=models.UniqueConstraint(fields=('system', 'value', 'laboratory'), name='an_identifier_names_one_patient', nulls_distinct=False),
        ),
    ]
