"""What was measured."""

from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    """Uploads, test runs, measurements and the pages that show them."""

    name = "experiments"
    verbose_name = "Test runs and uploads"
    default_auto_field = "django.db.models.BigAutoField"
