"""What a run ran on."""

from django.apps import AppConfig


class HardwareConfig(AppConfig):
    """Hardware profiles, platforms and the catalogue of accelerators."""

    name = "hardware"
    verbose_name = "Hardware"
    default_auto_field = "django.db.models.BigAutoField"
