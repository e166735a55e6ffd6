from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0005_who_holds_a_draw"),
    ]

    operations = [
        migrations.AddField(
            model_name="crisisplan",
            name="remind_every_minutes",
            field=models.PositiveIntegerField(
                default=240, verbose_name="all are told again every"
            ),
        ),
        migrations.AlterField(
            model_name="escalation",
            name="step",
            field=models.CharField(
                choices=[
                    ("cover", "cover"),
                    ("lead", "lead"),
                    ("reminder", "all of them again"),
                    ("unclosed", "lead, for want of an outcome"),
                ],
                max_length=10,
            ),
        ),
        migrations.RemoveConstraint(
            model_name="crisisplan",
            name="a_crisis_plan_tells_cover_before_lead_and_both_soon",
        ),
        migrations.AddConstraint(
            model_name="crisisplan",
            constraint=models.CheckConstraint(
                condition=Q(cover_after_minutes__gte=1, cover_after_minutes__lte=1440)
                & Q(lead_after_minutes__gte=F("cover_after_minutes"))
                & Q(lead_after_minutes__lte=2880)
                & Q(remind_every_minutes__gte=15, remind_every_minutes__lte=1440)
                & Q(outcome_within_hours__gte=1, outcome_within_hours__lte=168),
                name="a_crisis_plan_tells_cover_before_lead_and_both_soon",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="escalation",
            name="an_escalation_is_a_step_we_know",
        ),
        migrations.AddConstraint(
            model_name="escalation",
            constraint=models.CheckConstraint(
                condition=Q(step__in=["cover", "lead", "reminder", "unclosed"]),
                name="an_escalation_is_a_step_we_know",
            ),
        ),
    ]
