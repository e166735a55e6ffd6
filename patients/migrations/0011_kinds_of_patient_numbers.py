from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('patients', '0010_a_laboratory_may_name_somebody_else'),
    ]

    operations = [
        migrations.AddField(
            model_name='numberingalias',
            name='kind',
            field=models.CharField(blank=True, default='', max_length=20),
        ),
        migrations.RemoveConstraint(
            model_name='numberingalias',
            name='a_numbering_means_one_of_ours_per_laboratory',
        ),
        migrations.AddConstraint(
            model_name='numberingalias',
            constraint=models.UniqueConstraint(fields=('laboratory', 'sent', 'kind'), name='a_numbering_means_one_of_ours_per_laboratory'),
        ),
    ]
