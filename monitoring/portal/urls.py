"""The pages' addresses; none carries a name, a number or a value."""

from django.urls import path

from monitoring.portal.views import (
    about,
    corrections,
    draws,
    episode,
    explanation,
    flag,
    keys,
    laboratories,
    parked,
    parked_answers,
    parked_list,
    patient,
    preferences,
    record,
    safety,
    site_settings,
    uploads,
    worklist,
)

app_name = "portal"
urlpatterns = [
    path("", worklist.worklist, name="worklist"),
    path("search/", worklist.search, name="search"),
    path("patients/<uuid:public_id>/", patient.patient, name="patient"),
    path("patients/<uuid:public_id>/ratings/add/", record.add_rating, name="add_rating"),
    path("patients/<uuid:public_id>/trials/add/", record.add_trial, name="add_trial"),
    path(
        "patients/<uuid:public_id>/trials/<int:trial_id>/stop/",
        record.stop_trial,
        name="stop_trial",
    ),
    path("patients/<uuid:public_id>/events/add/", record.add_event, name="add_event"),
    path(
        "patients/<uuid:public_id>/ratings/<int:fact_id>/correct/",
        corrections.correct_a_rating,
        name="correct_rating",
    ),
    path(
        "patients/<uuid:public_id>/trials/<int:fact_id>/change/",
        corrections.correct_a_trial,
        name="correct_trial",
    ),
    path(
        "patients/<uuid:public_id>/events/<int:fact_id>/change/",
        corrections.correct_an_event,
        name="correct_event",
    ),
    path(
        "patients/<uuid:public_id>/draws/<uuid:draw_id>/decision/",
        draws.judge,
        name="judge_draw",
    ),
    path(
        "patients/<uuid:public_id>/assessments/<int:assessment_id>/",
        explanation.explanation,
        name="explanation",
    ),
    path(
        "patients/<uuid:public_id>/assessments/<int:assessment_id>/explanation.json",
        explanation.as_data,
        name="explanation_json",
    ),
    path(
        "patients/<uuid:public_id>/assessments/<int:assessment_id>/explanation.pdf",
        explanation.as_pdf,
        name="explanation_pdf",
    ),
    path("held/", draws.held, name="held"),
    *(
        path(
            f"patients/<uuid:public_id>/{what}/<int:fact_id>/withdraw/",
            corrections.withdraw,
            {"what": what},
            name=f"withdraw_{what}",
        )
        for what in ("ratings", "trials", "events")
    ),
    path("f/<slug:reference>", flag.flag, name="flag"),
    path("f/<slug:reference>/safety", safety.interruption, name="safety"),
    path("f/<slug:reference>/take-on", safety.take_on, name="take_on"),
    path("f/<slug:reference>/hand-over", safety.hand_over, name="hand_over"),
    path("f/<slug:reference>/outcome", safety.outcome, name="outcome"),
    path("f/<slug:reference>/snooze", flag.snooze, name="snooze_flag"),
    path("safety/", safety.cases, name="safety_list"),
    path("safety/alarm/", safety.alarm, name="alarm"),
    path("settings/", site_settings.site_settings, name="site_settings"),
    path("settings/sites/<int:site_id>/crisis/", site_settings.crisis_plan, name="crisis_plan"),
    path("settings/sites/<int:site_id>/doses/", site_settings.doses, name="doses"),
    path("settings/sites/<int:site_id>/visits/", site_settings.visits, name="visits"),
    path("patients/<uuid:public_id>/episode/", episode.episode, name="episode"),
    path("patients/<uuid:public_id>/status/", episode.status, name="status"),
    path("patients/<uuid:public_id>/genotype/", episode.genotype, name="genotype"),
    path(
        "patients/<uuid:public_id>/genotype/withdraw/",
        episode.forget_genotype,
        name="forget_genotype",
    ),
    path("overdue/", worklist.overdue_visits, name="overdue"),
    path("changes/", worklist.changes, name="changes"),
    path("settings/teams/<int:team_id>/duties/", site_settings.team_duties, name="team_duties"),
    path(
        "patients/<uuid:public_id>/named-clinician/",
        site_settings.named_clinician,
        name="named_clinician",
    ),
    path("f/<slug:reference>/seen", flag.see, name="see_flag"),
    path("f/<slug:reference>/acknowledge", flag.acknowledge, name="acknowledge_flag"),
    path("f/<slug:reference>/resolve", flag.resolve, name="resolve_flag"),
    path("parked/", parked_list.parked, name="parked"),
    path("parked/find/", parked_list.find_parked, name="find_parked"),
    path("parked/<uuid:public_id>/", parked.parked_draw, name="parked_draw"),
    path("parked/<uuid:public_id>/search/", parked.search_for_parked, name="search_for_parked"),
    path("parked/<uuid:public_id>/match/", parked.match_parked, name="match_parked"),
    path(
        "parked/<uuid:public_id>/enrol/", parked_answers.enrol_for_parked, name="enrol_for_parked"
    ),
    path("parked/<uuid:public_id>/ask/", parked_answers.ask_about_parked, name="ask_about_parked"),
    path("parked/<uuid:public_id>/teach/", parked_answers.teach_parked, name="teach_parked"),
    path("about/", about.about, name="about"),
    path("about/constants/", about.constants, name="constants"),
    path("keys/", keys.keys, name="keys"),
    path("keys/teams/issue/", keys.issue_for_team, name="issue_team_key"),
    path("keys/laboratories/issue/", keys.issue_for_laboratory, name="issue_laboratory_key"),
    path("keys/<slug:part>/<int:key_id>/revoke/", keys.revoke, name="revoke_key"),
    path("laboratories/", laboratories.laboratories, name="laboratories"),
    path("laboratories/<int:laboratory_id>/", laboratories.laboratory, name="laboratory"),
    path(
        "laboratories/<int:laboratory_id>/<slug:part>/add/",
        laboratories.add_to_profile,
        name="add_to_profile",
    ),
    path(
        "laboratories/<int:laboratory_id>/<slug:part>/remove/",
        laboratories.remove_from_profile,
        name="remove_from_profile",
    ),
    path("parked/<uuid:public_id>/reject/", parked.reject_parked, name="reject_parked"),
    path("upload/", uploads.upload, name="upload"),
    path("upload/template/", uploads.upload_template, name="upload_template"),
    path("upload/<uuid:public_id>/", uploads.upload_verdicts, name="upload_verdicts"),
    path(
        "upload/<uuid:public_id>/verdicts.csv", uploads.download_verdicts, name="download_verdicts"
    ),
    path("upload/<uuid:public_id>/confirm/", uploads.confirm_upload, name="confirm_upload"),
    path("upload/<uuid:public_id>/discard/", uploads.discard_upload, name="discard_upload"),
    path("preferences/", preferences.preferences, name="preferences"),
]
