"""What a model is and how good it is."""

from django.apps import AppConfig


class BenchmarksConfig(AppConfig):
    """Model variants, benchmarks and their scores."""

    name = "benchmarks"
    verbose_name = "Models and benchmark scores"
    default_auto_field = "django.db.models.BigAutoField"
