"""What every answer tells browsers to refuse."""

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/", "/health", "/api/runs", "/nothing/", "/admin/login/"])
def test_every_answer_has_the_security_headers(client: Client, address: str) -> None:
    headers = client.get(address).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers  # without TLS nobody may promise it


def test_https_is_promised_for_a_year(client: Client, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    assert client.get("/", secure=True)["Strict-Transport-Security"] == "max-age=31536000"
