"""Every address of the site."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("monitoring.portal.urls")),
    path("api/", include("monitoring.api.urls")),
    path("account/", include("allauth.account.urls")),
    path("health/", include("monitoring.health")),
]
