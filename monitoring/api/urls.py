"""The machines' addresses."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from monitoring.api.explanations import CurrentExplanation
from monitoring.api.ratings import Ratings
from monitoring.api.views import Results

app_name = "api"
urlpatterns = [
    path("v1/results", login_not_required(Results.as_view()), name="results"),
    # The same with a slash, for clients that add one; the document names it once
    path("v1/results/", login_not_required(Results.as_view(schema=None))),
    path("v1/ratings", login_not_required(Ratings.as_view()), name="ratings"),
    # The name is opaque: an address holds nothing of a person
    path(
        "v1/patients/<uuid:public_id>/explanation",
        login_not_required(CurrentExplanation.as_view()),
        name="explanation",
    ),
    path("schema/", login_not_required(SpectacularAPIView.as_view()), name="schema"),
    path(
        "docs/",
        login_not_required(
            SpectacularSwaggerSplitView.as_view(
                url_name="api:schema", template_name="api/docs.html"
            )
        ),
        name="docs",
    ),
]
