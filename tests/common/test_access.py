"""A site that is not public shows nothing to strangers."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.factories import make_run, make_staff

pytestmark = pytest.mark.django_db


def test_a_private_site_asks_strangers_to_log_in(client: Client, settings: Settings) -> None:
    settings.BENCHSITE_PUBLIC = False
    run = make_run()
    for path in ("/", f"/detail/{run.pk}/", f"/compare/?run={run.pk}"):
        response = client.get(path)
        assert response.status_code == 302, path
        assert response["Location"].startswith("/admin/login/?next=")
    client.force_login(make_staff())
    assert client.get("/").status_code == 200


def test_a_public_site_asks_nobody(client: Client) -> None:
    assert client.get("/").status_code == 200
