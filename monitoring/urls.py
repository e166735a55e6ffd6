"""Every address of the site."""

from allauth.account import urls as account
from django.urls import URLPattern, URLResolver, include, path

from monitoring import health

# allauth offers more than an operator-run site wants: nobody signs up, nobody changes an address
ACCOUNT_PAGES = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_change_password",
    "account_set_password",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}

urlpatterns: list[URLPattern | URLResolver] = [
    # The doors for machines first: a push need not look through all pages for people
    path("api/", include("monitoring.api.urls")),
    path("", include("monitoring.oauth2.urls")),  # before fhir/, all of which is FHIR's but one
    path("", include("monitoring.fhir.urls")),
    path("", include("monitoring.hl7v2.urls")),
    path("", include("monitoring.portal.urls")),
    path("account/", include([each for each in account.urlpatterns if each.name in ACCOUNT_PAGES])),
    path("health/", health.health, name="health"),
    path("health/live", health.live, name="live"),
]
handler404 = "monitoring.faults.not_found"
handler500 = "monitoring.faults.server_error"
