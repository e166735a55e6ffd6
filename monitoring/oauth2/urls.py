"""The addresses by which laboratories' systems sign in."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path

from monitoring.oauth2.views import SmartConfiguration, Token

app_name = "oauth2"
_TOKEN = login_not_required(Token.as_view())
_CONFIGURATION = "fhir/.well-known/smart-configuration"
urlpatterns = [
    path("oauth2/token", _TOKEN, name="token"),
    path("oauth2/token/", login_not_required(Token.as_view(schema=None))),
    path(_CONFIGURATION, login_not_required(SmartConfiguration.as_view()), name="configuration"),
    path(f"{_CONFIGURATION}/", login_not_required(SmartConfiguration.as_view(schema=None))),
]
