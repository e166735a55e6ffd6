"""The address of the HL7 v2 door."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from monitoring.hl7v2.views import Messages

app_name = "hl7v2"
urlpatterns = [
    path("hl7v2", login_not_required(Messages.as_view()), name="messages"),
    # The same with a slash, for clients that add one; the document names it once
    path("hl7v2/", login_not_required(Messages.as_view(schema=None))),
]
