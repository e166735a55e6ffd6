"""Whether the site is well, for machines that watch it: no sign-in, and nothing about patients."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from monitoring import vital_signs


@login_not_required
@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer 200 when every part is well, and 503 with what is the matter otherwise."""
    signs = vital_signs.take(at=timezone.now())
    parts = {"web": vital_signs.OK, **signs.said}
    answer = JsonResponse(parts, status=200 if signs.are_well else 503)
    # What is the matter stands in the answer. Whoever watches asks every second: no line for each
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


@login_not_required
@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer as soon as the web process does; nothing else is looked at."""
    return JsonResponse({"web": vital_signs.OK})
