from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0008_a_remembered_number_is_of_one_laboratory'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='parked',
            name='waiting_draws_by_accession',
        ),
        migrations.AddIndex(
            model_name='parked',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['accession'], name='waiting_draws_by_accession'),
        ),
    ]
