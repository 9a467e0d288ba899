"""When a fragment is asked for, and when the whole page."""

import pytest
from django.test import RequestFactory

from benchsite.common.htmx import is_fragment_request


@pytest.mark.parametrize(
    ("headers", "wants_fragment"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Boosted": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
    ],
)
def test_is_fragment_request(headers: dict[str, str], wants_fragment: bool) -> None:
    request = RequestFactory().get("/", headers=headers)
    assert is_fragment_request(request) is wants_fragment
