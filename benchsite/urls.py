"""Every URL of the site."""

from django.contrib import admin
from django.urls import include, path

from experiments.api import api
from experiments.api.health import health

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", api.urls),
    path("health", health, name="health"),
    path("", include("experiments.urls")),
]

handler500 = "benchsite.common.maintenance.server_error"
