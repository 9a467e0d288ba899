"""What no page can read is refused with 400, and never a defect."""

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory

from benchsite.wsgi import without_charset
from tests.factories import make_staff

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/api/runs", "/admin/login/"])
def test_a_nul_in_a_cookie_is_refused(client: Client, path: str) -> None:
    response = client.get(path, headers={"Cookie": r'sessionid="\000abcdefghijklmnopqrstuvwxyz"'})
    assert response.status_code == 400


@pytest.mark.parametrize(
    "path", ["/?q=a%00", "/?%00=a", "/%00", "/admin/experiments/testrun/?review_state__exact=%00"]
)
def test_a_nul_in_an_address_is_refused(client: Client, path: str) -> None:
    client.force_login(make_staff())
    response = client.get(path)
    assert response.status_code == 400
    assert "NUL" in response.content.decode()


def test_the_api_refuses_in_its_own_shape(client: Client) -> None:
    answer = client.get("/api/runs?benchmark=%00").json()
    assert (answer["code"], answer["details"]) == ("bad_request", [])
    assert "NUL" in answer["error"]


def test_too_many_parameters_are_refused(client: Client) -> None:
    response = client.get("/", {f"a{number}": "1" for number in range(1001)})
    assert response.status_code == 400


@pytest.mark.parametrize(
    "charset",
    ["hex", "base64", "rot13", "zlib", "undefined", "idna", "punycode", "unicode_escape", "utf-8"],
)
@pytest.mark.parametrize("spelling", ["; charset={}", ';Charset="{}"', "; charset*=utf-8''{}"])
def test_the_charset_of_a_body_never_decodes_the_query(charset: str, spelling: str) -> None:
    environ = RequestFactory().get("/?q=%5Cud800%ff").environ
    stated = f"multipart/form-data{spelling.format(charset)}; boundary=x"
    request = WSGIRequest(environ | {"CONTENT_TYPE": without_charset(stated)})
    assert request.GET["q"] == "\\ud800\ufffd"
    assert request.content_params == {"boundary": "x"}
