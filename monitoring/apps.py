"""The site's room, as Django knows it."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class MonitoringConfig(AppConfig):
    name = "monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        """Refuse a model of the site's own before anything is started, not in a worker's log."""
        if settings.MODEL_RELEASE or settings.MODEL_APPROVAL:
            import_module("monitoring.model_in_force")
