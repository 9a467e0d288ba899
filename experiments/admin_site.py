"""The admin site: its name, and a start page that says what waits to be done."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse

from benchsite.common.admin import download_csv, download_json
from experiments.dashboard import waiting_tasks

_APPS_IN_ORDER = ["experiments", "benchmarks", "hardware", "auth"]


class SiteAdmin(AdminSite):
    """Django's admin in the site's look."""

    site_header = "Benchsite"
    site_title = "Benchsite admin"
    index_title = "Admin"
    enable_nav_sidebar = False  # the lists need the room
    index_template = "admin/dashboard.html"
    login_template = "admin/site_login.html"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        for action in (download_csv, download_json):
            self.add_action(action, action.__name__)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the tasks of this person above the lists of everything."""
        tasks = {"tasks": waiting_tasks(request.user)}
        return super().index(request, {**tasks, **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """List the apps with what people look for first."""
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: _APPS_IN_ORDER.index(app["app_label"]))
