"""The addresses that only take a form: who comes there otherwise is shown the way back."""

import pytest
from django.test import Client

from monitoring.portal.urls import urlpatterns
from tests.factories import ClinicianFactory, FlagFactory
from tests.monitoring.test_portal_access import address

pytestmark = pytest.mark.django_db


def test_every_address_of_a_form_leads_to_a_page_above_it(client: Client) -> None:
    flag = FlagFactory.create()
    client.force_login(ClinicianFactory.create(teams=[flag.patient.team], is_operator=True))
    seen = 0

    for pattern in urlpatterns:
        answer = client.get(address(pattern, flag))
        if answer.status_code != 405:
            continue
        seen += 1
        above = answer.context["page_above"]
        # a name in it may be made up here, or the page be a lead's, but it shows one to somebody
        assert client.get(above).status_code in {200, 403, 404}, pattern.name
    assert seen > 10
