"""Requests whose body is too large, cut, doubled or oddly named, by the API and by the form."""

import gzip
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client, RequestFactory
from pytest_django import Settings

from benchsite.wsgi import application
from experiments.models import TestRun, Upload
from tests.experiments.form_upload import URL, text_of
from tests.experiments.samples import SEED
from tests.experiments.test_llama_bench import as_csv, row
from tests.experiments.tokens import bearer
from tests.experiments.ways_in import WayIn, api_answer, by_api, by_form, facts

pytestmark = pytest.mark.django_db

API = "/api/uploads"
WHOLE = json.dumps(SEED).encode()
MULTIPART = "multipart/form-data; boundary=xyz"
TOO_LARGE = 200 * 1024**2
both_ways = pytest.mark.parametrize("way", [by_api, by_form])
both_addresses = pytest.mark.parametrize("address", [API, URL], ids=["api", "form"])


class Unread(io.BytesIO):
    """A body that nobody may read."""

    def read(self, *_sizes: int | None) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def part(name: str, content: bytes, file_name: str | None = None) -> bytes:
    """Return a part of a multipart body, as it stands: nothing is escaped."""
    named = f'name="{name}"' + (f'; filename="{file_name}"' if file_name is not None else "")
    head = f"--xyz\r\nContent-Disposition: form-data; {named}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def parts(*pieces: bytes) -> bytes:
    return b"".join(pieces) + b"--xyz--\r\n"


def post(client: Client, address: str, body: bytes, content_type: str = MULTIPART) -> Any:
    """Post a body by the way in at an address; the form with somebody logged in."""
    headers = bearer("upload") if address.startswith(API) else {}
    return client.post(address, body, content_type, headers=headers)


def serve(address: str, body: bytes, **environ: Any) -> tuple[int, str]:
    """Send a request through the WSGI application that the server calls."""
    request = RequestFactory(headers=bearer("upload")).post(address, b"", MULTIPART)
    answered: list[str] = []

    def start(status: str, _headers: Sequence[tuple[str, str]], _error: Any = None) -> Any:
        answered.append(status)

    sent = {"wsgi.input": io.BytesIO(body), "CONTENT_TYPE": MULTIPART, **environ}
    content = application(request.environ | sent, start)
    return int(answered[0].split()[0]), b"".join(content).decode()


@pytest.fixture
def uploader(admin_client: Client) -> Client:
    return admin_client


@pytest.fixture
def open_connection() -> Iterator[None]:
    """Keep the test's connection, which a request outside Django's client would close."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("content_type", ["application/json", MULTIPART])
@both_addresses
def test_200_megabytes_are_refused_unread(
    uploader: Client, address: str, content_type: str
) -> None:
    unread: Any = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(TOO_LARGE)}
    response = uploader.generic(
        "POST", address, content_type=content_type, headers=bearer("upload"), **unread
    )
    assert response.status_code == 413
    told = response.json()["error"] if address == API else text_of(response)
    assert "larger than 67,108,864 bytes, the limit of this site" in told
    if address == API:
        assert response.json()["details"][0]["value"] == TOO_LARGE
    assert not Upload.objects.exists()


def test_a_form_above_the_limit_is_refused_before_anybody_is_asked_for(client: Client) -> None:
    unread: Any = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(TOO_LARGE)}
    for address in ("/", "/admin/login/", URL):
        response = client.generic("POST", address, content_type=MULTIPART, **unread)
        assert response.status_code == 413


def test_a_body_is_refused_one_byte_above_the_limit(client: Client, settings: Settings) -> None:
    settings.BENCHSITE_MAX_UPLOAD_BYTES = len(WHOLE)
    assert post(client, API, WHOLE, "application/json").status_code == 201
    answer = api_answer(post(client, API, WHOLE + b" ", "application/json"))
    assert answer.status == 413
    assert answer.errors[0].value == str(len(WHOLE) + 1)


@both_addresses
def test_a_text_above_the_limit_is_refused(
    uploader: Client, settings: Settings, address: str
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = post(
        uploader, address, parts(part("file", b"{", "a.json"), part("notes", b"x" * 2000))
    )
    assert response.status_code == 413
    assert "the limit of this site" in response.content.decode()
    assert not Upload.objects.exists()


@both_ways
def test_what_unpacks_beyond_the_limit_is_refused(
    client: Client, settings: Settings, way: WayIn
) -> None:
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 1000
    answer = way(client, gzip.compress(b"[" * 100_000), "bomb.json.gz")
    assert answer.status == 413
    assert "1,000 bytes" in answer.text
    assert not Upload.objects.exists()


def chunked(body: bytes, **environ: Any) -> dict[str, Any]:
    return {
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
        **environ,
    }


def test_a_body_in_chunks_is_read_to_the_limit(client: Client, settings: Settings) -> None:
    def send(body: bytes, **environ: Any) -> int:
        response = client.generic(
            "POST",
            API,
            content_type="application/json",
            headers=bearer("upload"),
            **chunked(body, **environ),
        )
        return response.status_code

    assert send(WHOLE) == 201
    unknown_end: Any = {"wsgi.input_terminated": False}
    assert send(WHOLE, **unknown_end) == 411
    settings.BENCHSITE_MAX_UPLOAD_BYTES = len(WHOLE) - 1
    endless = io.BytesIO(WHOLE * 1000)
    unread: Any = {"wsgi.input": endless}
    assert send(b"", **unread) == 413
    assert endless.tell() == len(WHOLE)


def test_a_form_in_chunks_is_asked_for_its_length(uploader: Client) -> None:
    body: Any = chunked(b"", **{"wsgi.input": Unread()})
    response = uploader.generic("POST", URL, content_type=MULTIPART, **body)
    assert response.status_code == 411
    assert "Content-Length" in text_of(response)


CUT = {
    "JSON": (WHOLE, "application/json"),
    "CSV between two rows": (as_csv(row(), row(n_gen=64)), "text/csv"),
    "multipart": (parts(part("file", WHOLE, "a.json"), part("notes", b"x")), MULTIPART),
}


@pytest.mark.usefixtures("open_connection")
@pytest.mark.parametrize("case", CUT)
@pytest.mark.parametrize("missing", [1, 100])
def test_a_client_that_breaks_off_writes_nothing(case: str, missing: int) -> None:
    """What came is never taken for the whole, even where it ends between two rows."""
    body, content_type = CUT[case]
    body = body[: body.rindex(b"\n", 0, -1) + 1] if "CSV" in case else body[:-missing]
    before = facts()
    length = str(len(body) + missing)
    status, answer = serve(API, body, CONTENT_LENGTH=length, CONTENT_TYPE=content_type)
    assert (status, json.loads(answer)["code"]) == (400, "unreadable")
    assert "broke off" in json.loads(answer)["error"]
    assert facts() == before
    assert not Upload.objects.exists()
    whole, content_type = CUT[case]
    length = str(len(whole))
    assert serve(API, whole, CONTENT_LENGTH=length, CONTENT_TYPE=content_type)[0] == 201


@pytest.mark.usefixtures("open_connection")
def test_a_form_of_which_a_part_is_missing_says_so() -> None:
    body, _content_type = CUT["multipart"]
    status, page = serve(URL, body[:-1], CONTENT_LENGTH=str(len(body)))
    assert status == 400
    assert "broke off" in page
    status, page = serve(URL, body[:-1], CONTENT_LENGTH=str(len(body)), HTTP_HX_REQUEST="true")
    assert 'id="refusal"' in page


@pytest.mark.usefixtures("open_connection")
def test_chunks_that_break_off_are_unreadable() -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = None) -> bytes:
            raise OSError("the chunk ends early")

    environ = chunked(b"", **{"wsgi.input": Broken(), "CONTENT_TYPE": "application/json"})
    status, answer = serve(API, b"", **environ)
    assert (status, json.loads(answer)["code"]) == (400, "unreadable")


@pytest.mark.usefixtures("open_connection")
@pytest.mark.parametrize("length", ["10", "-5", "many", "", "0"])
def test_a_length_that_is_wrong_is_no_defect(length: str) -> None:
    environ = {"CONTENT_LENGTH": length, "CONTENT_TYPE": "application/json"}
    status, answer = serve(API, WHOLE, **environ)
    assert (status, json.loads(answer)["code"]) == (400, "unreadable")
    assert not TestRun.objects.exists()


@both_addresses
@pytest.mark.parametrize(
    ("content_type", "says"),
    [
        ("multipart/form-data", "boundary"),
        ("multipart/form-data; boundary=", "boundary"),
        ("Multipart/Form-Data; boundary=xyz", "Content-Type"),
    ],
)
def test_multipart_that_is_none_is_unreadable(
    uploader: Client, address: str, content_type: str, says: str
) -> None:
    response = post(uploader, address, b"no parts", content_type)
    assert response.status_code == 400
    assert says in response.content.decode()


@both_addresses
def test_very_many_fields_are_refused(uploader: Client, address: str) -> None:
    body = parts(*(part(f"field{number}", b"x") for number in range(1001)))
    response = post(uploader, address, body)
    assert response.status_code == 400
    assert "fields" in response.content.decode() or "parameters" in response.content.decode()
    assert not Upload.objects.exists()


@both_addresses
def test_very_many_files_are_refused(uploader: Client, address: str) -> None:
    body = parts(*(part("file", WHOLE, f"{number}.json") for number in range(101)))
    response = post(uploader, address, body)
    assert response.status_code == 400
    assert "files" in response.content.decode()
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("body", "says", "value"),
    [
        (parts(), "0 came", "None"),
        (parts(part("notes", b"x")), "0 came", "None"),
        (parts(part("file", WHOLE)), "came as text without a file name", "None"),
        (parts(part("data", WHOLE, "a.json")), "1 came", "data: a.json"),
        (
            parts(part("file", WHOLE, "a.json"), part("file", WHOLE, "b.json")),
            "2 came",
            "file: a.json, file: b.json",
        ),
        (
            parts(part("file", WHOLE, "a.json"), part("other", WHOLE, "b.json")),
            "2 came",
            "file: a.json, other: b.json",
        ),
        (parts(part("file", WHOLE, "..")), "0 came", "None"),
    ],
)
def test_the_api_takes_one_file_a_request(
    client: Client, body: bytes, says: str, value: str
) -> None:
    answer = api_answer(post(client, API, body))
    assert answer.status == 422
    told = answer.error_at("file")
    assert says in told.message
    assert str(told.value) == value
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("query", "fields", "value"),
    [
        ("", (part("gpu_model", b"A"), part("gpu_model", b"B")), "A | B"),
        ("?gpu_model=A&gpu_model=A", (), "A | A"),
        ("?gpu_model=A", (part("gpu_model", b"B"),), "A | B"),
    ],
)
def test_a_field_that_comes_twice_is_named(
    client: Client, query: str, fields: tuple[bytes, ...], value: str
) -> None:
    body = parts(part("file", WHOLE, "a.json"), *fields)
    answer = api_answer(post(client, API + query, body))
    assert answer.status == 422
    assert answer.error_at("context.gpu_model").value == value
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("query", "fields"),
    [("", (part("model_name", b"N\xeembus"),)), ("?model_name=N%EEmbus", ())],
    ids=["form", "query"],
)
def test_fields_that_are_not_utf8_are_refused(
    client: Client, query: str, fields: tuple[bytes, ...]
) -> None:
    body = parts(part("file", WHOLE, "a.json"), *fields)
    answer = api_answer(post(client, API + query, body))
    assert answer.status == 422
    assert "not sent as UTF-8" in answer.error_at("context.model_name").message


NAMES = {
    "a/b/../c.json": "c.json",
    "..\\..\\c.json": "c.json",
    "C:\\runs\\c.json": "c.json",
    "a\x00b.json": "ab.json",
    "a\x1b[31mb.json": "a[31mb.json",
    "\u202enosj.exe": "nosj.exe",
    "\u200b.json": ".json",
    "<b>&amp;.json": "<b>&.json",
    "n" * 900 + ".json": "n" * 250 + ".json",
}


@both_addresses
@pytest.mark.parametrize("sent", NAMES, ids=range(len(NAMES)))
def test_odd_file_names_are_kept_as_far_as_they_can_be_read(
    uploader: Client, address: str, sent: str
) -> None:
    body = parts(part("file", b"{", sent))
    response = post(uploader, address, body)
    assert response.status_code == 400
    assert Upload.objects.get().file_name == NAMES[sent]
    assert uploader.get("/admin/experiments/upload/").status_code == 200


@both_addresses
def test_a_file_name_of_5000_characters_cannot_be_read(uploader: Client, address: str) -> None:
    response = post(uploader, address, parts(part("file", WHOLE, "n" * 5000)))
    assert response.status_code == 400
    assert "header" in response.content.decode()
    assert not Upload.objects.exists()


@both_addresses
def test_a_line_end_in_a_file_name_is_no_defect(uploader: Client, address: str) -> None:
    response = post(uploader, address, parts(part("file", b"{", "a\r\nb.json")))
    assert response.status_code in (400, 422)
    assert not TestRun.objects.exists()


def test_a_login_that_ran_out_sends_to_the_login_and_keeps_nothing(client: Client) -> None:
    """The browser's Back button leads to the form as it was filled in."""
    response = client.post(URL, {"file": SimpleUploadedFile("a.json", WHOLE), "notes": "typed"})
    assert response.status_code == 302
    assert response.headers["Location"] == f"/admin/login/?next={URL}"
    assert not Upload.objects.exists()
