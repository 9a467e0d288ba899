"""Django's admin, with the site's own look and start page."""

from django.contrib.admin.apps import AdminConfig


class SiteAdminConfig(AdminConfig):
    """The admin app, which makes the site's own AdminSite the one that models register with."""

    default_site = "experiments.admin_site.SiteAdmin"
