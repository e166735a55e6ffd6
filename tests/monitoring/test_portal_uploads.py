"""A file of results brought by a person: looked at row by row, confirmed or discarded."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from monitoring import uploads
from monitoring.models import Upload
from monitoring.portal.presenters.raw_messages import part_of_message
from monitoring.portal.presenters.uploads import SHOWN_AT_MOST, without_formula
from patients.intake.reports import DrawReport
from patients.models import (
    Audit,
    Clinician,
    Inbound,
    Laboratory,
    Membership,
    Parked,
    Patient,
    Result,
)
from tests.factories import ClinicianFactory, TeamFactory
from tests.patients.tables import table_of
from tests.patients.test_xlsx_dialect import workbook_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Clinician:
    reader = ClinicianFactory.create(is_operator=True)
    client.force_login(reader)
    return reader


def bring(client: Client, laboratory: Laboratory, body: str | bytes, name: str = "r.csv") -> Any:
    content = body.encode() if isinstance(body, str) else body
    file = SimpleUploadedFile(name, content)
    return client.post(reverse("portal:upload"), {"laboratory": laboratory.pk, "file": file})


def page(name: str, upload: Upload | None = None) -> str:
    return reverse(f"portal:{name}", args=[(upload or Upload.objects.get()).public_id])


def test_nothing_is_stored_before_it_is_confirmed(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    answer = bring(client, laboratory, table_of({}))

    assert answer["Location"] == page("upload_verdicts")
    text = client.get(answer["Location"]).content.decode()
    assert "1 row can be taken in" in text
    assert not Result.objects.exists()
    assert not Inbound.objects.exists()


def test_what_is_confirmed_is_recorded_and_forgotten(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    body = table_of({}, {"accession": "P", "patient": "9999"})
    bring(client, laboratory, body)

    answer = client.post(page("confirm_upload"), follow=True)

    assert "The file is taken in (parked: 1, new: 1)." in answer.content.decode()
    result = Result.objects.get()
    assert result.draw.recorded_by == f"clinician:{operator.pk}"
    assert bytes(Inbound.objects.get().body) == body.encode()
    assert Parked.objects.count() == 1
    assert not Upload.objects.exists()
    line = Audit.objects.get(verb="upload_results")
    assert line.by == f"clinician:{operator.pk}"
    assert line.detail == {"kind": "csv", "parked": 1, "recorded": 1}


def test_problems_come_first_and_are_counted(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    bring(
        client,
        laboratory,
        table_of({}, {"accession": "P", "patient": "9999"}, {"accession": "R", "value": "37,50"}),
    )

    text = client.get(page("upload_verdicts")).content.decode()

    assert "1 row cannot be read, so nothing can be taken in" in text
    assert "column “value”: “37,50” has a decimal comma" in text
    assert text.index("decimal comma") < text.index("No patient is known") < text.index("A-17")
    assert page("confirm_upload") not in text


def test_a_file_with_a_refused_row_cannot_be_confirmed(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    bring(client, laboratory, table_of({}, {"accession": "R", "value": "37,50"}))

    answer = client.post(page("confirm_upload"))

    assert answer["Location"] == page("upload_verdicts")
    assert not Result.objects.exists()


def test_a_file_that_is_no_table_says_why_and_is_not_kept(
    client: Client, operator: Clinician, laboratory: Laboratory
) -> None:
    answer = bring(client, laboratory, "accession,colour\r\nA-17,red\r\n")

    text = answer.content.decode()
    assert answer.status_code == 422
    assert "row 1, column “colour”: is not a column" in text
    assert "row 1, column “value”: is missing" in text
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("body", "name", "fault"),
    [
        (b"", "r.csv", "empty"),
        (b"x" * (5 * 1024 * 1024 + 1), "r.csv", "at most 5 MB"),
        (b"\xd0\xcf\x11\xe0", "r.xls", "old XLS file"),
    ],
)
def test_what_cannot_be_read_is_refused(
    client: Client,
    operator: Clinician,
    laboratory: Laboratory,
    body: bytes,
    name: str,
    fault: str,
) -> None:
    answer = bring(client, laboratory, body, name)

    assert answer.status_code == 422
    assert fault in answer.content.decode()


def test_a_workbook_may_be_brought(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    bring(client, laboratory, workbook_of({"value": 37.5}), "r.xlsx")
    client.post(page("confirm_upload"))

    assert Result.objects.get().sent_value == "37.5"
    assert Inbound.objects.get().dialect == "xlsx"


def test_the_same_file_once_more_changes_nothing(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    for _ in range(2):
        bring(client, laboratory, table_of({}))
        answer = client.post(page("confirm_upload"), follow=True)

    assert "(known: 1)" in answer.content.decode()
    assert Result.objects.count() == 1


def test_a_changed_profile_asks_for_the_file_anew(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    bring(client, laboratory, table_of({}))
    laboratory.csv = {"statuses": {"final": "preliminary"}}
    laboratory.save()

    answer = client.post(page("confirm_upload"), follow=True)

    assert "profile has changed meanwhile" in answer.content.decode()
    assert not Result.objects.exists()
    assert not Upload.objects.exists()


def test_a_file_may_be_discarded(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    bring(client, laboratory, table_of({}))

    client.post(page("discard_upload"))

    assert not Upload.objects.exists()
    assert not Inbound.objects.exists()


def test_an_unconfirmed_file_is_gone_after_an_hour(
    client: Client, operator: Clinician, laboratory: Laboratory
) -> None:
    bring(client, laboratory, table_of({}))

    uploads.forget_old(at=timezone.now() + timedelta(minutes=59))
    assert Upload.objects.exists()
    uploads.forget_old(at=timezone.now() + timedelta(minutes=61))
    assert not Upload.objects.exists()


def test_a_file_is_seen_by_its_bringer_alone(
    client: Client, operator: Clinician, laboratory: Laboratory
) -> None:
    bring(client, laboratory, table_of({}))
    client.force_login(ClinicianFactory.create(is_operator=True))

    assert client.get(page("upload_verdicts")).status_code == 404
    assert client.get(page("download_verdicts")).status_code == 404
    assert client.post(page("confirm_upload")).status_code == 404
    assert client.post(page("discard_upload")).status_code == 404


def test_leads_and_operators_may_upload_and_others_may_not(
    client: Client, laboratory: Laboratory
) -> None:
    member = ClinicianFactory.create(teams=[TeamFactory.create()])
    client.force_login(member)
    assert client.get(reverse("portal:upload")).status_code == 404
    assert bring(client, laboratory, table_of({})).status_code == 404
    assert reverse("portal:upload") not in client.get(reverse("portal:parked")).content.decode()

    Membership.objects.filter(clinician=member).update(role="lead")

    assert client.get(reverse("portal:upload")).status_code == 200
    assert reverse("portal:upload") in client.get(reverse("portal:parked")).content.decode()


def test_the_verdicts_to_download_hold_no_formula(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    bring(client, laboratory, table_of({"accession": "=HYPERLINK(1)", "analyte": "@x"}))

    answer = client.get(page("download_verdicts"))

    assert answer["Content-Disposition"] == 'attachment; filename="verdicts.csv"'
    assert (
        answer.content.decode("utf-8-sig")
        .splitlines()[1]
        .startswith("2,parked,'=HYPERLINK(1),'@x,")
    )


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_a_spreadsheet_would_run_is_kept_from_it(first: str) -> None:
    assert without_formula(f"{first}1+1") == f"'{first}1+1"
    assert without_formula("A-17") == "A-17"


def test_the_template_has_the_laboratorys_own_columns(
    client: Client, operator: Clinician, laboratory: Laboratory
) -> None:
    laboratory.csv = {
        "delimiter": ";",
        "columns": [
            {"column": "Probe", "holds": "accession"},
            {"column": "sIL-6R", "holds": "value", "analyte": "sIL-6R", "unit": "ng/mL"},
        ],
        "constants": {"patient_system": "urn:clinic:mrn"},
    }
    laboratory.save()

    answer = client.get(reverse("portal:upload_template"), {"laboratory": laboratory.pk})

    assert answer.content.decode("utf-8-sig") == ("Probe;sIL-6R;patient;collected_at;status\r\n")


def test_no_value_stands_in_an_address_or_a_cookie(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    answer = bring(client, laboratory, table_of({}))
    client.get(answer["Location"])

    said = answer["Location"] + str(client.cookies) + str(dict(client.session))
    assert not any(word in said for word in ("A-17", "0042", "37.50"))


def test_a_long_table_is_shown_in_part_and_says_so(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient
) -> None:
    bring(client, laboratory, table_of(*({"accession": f"N-{n}"} for n in range(501))))

    text = client.get(page("upload_verdicts")).content.decode()

    assert f"The first {SHOWN_AT_MOST} of 501 are shown" in text
    assert client.get(page("download_verdicts")).content.count(b"\r\n") == 502


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_parked_draw_shows_its_own_rows_of_the_file_alone(
    client: Client, operator: Clinician, laboratory: Laboratory, patient: Patient, kind: str
) -> None:
    rows = ({"accession": "P", "patient": "9999"}, {"accession": "OTHERS", "patient": "8888"})
    body: str | bytes = table_of(*rows) if kind == "csv" else workbook_of(*rows)
    bring(client, laboratory, body, f"r.{kind}")
    client.post(page("confirm_upload"))
    parked = Parked.objects.get(accession="P")

    text, is_part = part_of_message(parked.inbound, DrawReport.model_validate(parked.report))

    assert is_part
    assert "9999" in text
    assert "8888" not in text
