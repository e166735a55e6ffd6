"""What the web server calls."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "monitoring.settings")

application = get_wsgi_application()

import monitoring.urls  # noqa: E402, F401 - now, so that nobody's first page waits for it
