"""The two ways in for a file, as tests walk them: by the API and by the upload form."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client

from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant, ScoreCategory
from experiments.models import Configuration, Measurement, Sweep, TestRun
from hardware.models import HardwareProfile, Platform
from tests.experiments.form_upload import URL, press
from tests.experiments.tokens import bearer

FACTS: tuple[type[models.Model], ...] = (
    TestRun,
    Measurement,
    Configuration,
    Sweep,
    ModelVariant,
    Benchmark,
    BenchmarkScore,
    ScoreCategory,
    HardwareProfile,
    Platform,
)
"""The tables that a refused file leaves as they were."""


@dataclass(frozen=True)
class Told:
    """A problem as the sender is told of it; `value` as text, None where there is none."""

    path: str
    message: str
    value: str | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a way in answers; `text` is all that a person can read of it."""

    status: int
    text: str
    errors: tuple[Told, ...] = ()
    warnings: tuple[Told, ...] = ()

    def error_at(self, path: str) -> Told:
        """Return what is told about a place of the file."""
        found = [error for error in self.errors if error.path == path]
        assert found, (path, self.errors, self.text[:1000])
        return found[0]


WayIn = Callable[..., Answer]


def facts() -> dict[str, int]:
    """Return how many rows each table of facts has."""
    return {model.__name__: model._default_manager.count() for model in FACTS}


def by_api(client: Client, data: bytes, name: str, **context: str) -> Answer:
    """Send a file to the API as multipart, with context fields."""
    file = SimpleUploadedFile(name, data)
    response = client.post("/api/uploads", {"file": file, **context}, headers=bearer("upload"))
    return api_answer(response)


def api_answer(response: Any) -> Answer:
    """Read what the API answers."""
    body = response.json()
    return Answer(
        status=response.status_code,
        text=response.content.decode(),
        errors=_told(body.get("details", [])),
        warnings=_told(body.get("warnings", [])),
    )


def by_form(client: Client, data: bytes, name: str, **context: str) -> Answer:
    """Send a file by the upload form, as far as its preview; status 200 means that it is ready."""
    if "sessionid" not in client.cookies:
        client.force_login(User.objects.create_superuser("uploader"))  # no password to hash
    file = SimpleUploadedFile(name, data)
    response = client.post(URL, {"file": file, **context}, follow=True)
    page = response.content.decode()
    section = _section_of(page, name)
    return Answer(
        status=response.status_code,
        text=_text_of(section),
        errors=(*_listed(section, "Errors"), *_beside_fields(page)),
        warnings=_listed(section, "Warnings"),
    )


def confirm(client: Client) -> None:
    """Confirm the newest preview of the form."""
    response = press(client, "confirm")
    assert response.status_code == 200, response.content.decode()


def _told(problems: list[dict[str, Any]]) -> tuple[Told, ...]:
    return tuple(
        Told(item["path"], item["message"], None if item["value"] is None else str(item["value"]))
        for item in problems
    )


def _section_of(page: str, name: str) -> str:
    """Return the part of a preview that is about one file."""
    for section in re.findall(r"<section\b.*?</section>", page, re.DOTALL):
        heading = re.search(r"<h2[^>]*>(.*?)</h2>", section, re.DOTALL)
        if heading and html.unescape(heading[1]).strip() == name:
            return str(section)
    return page


def _listed(section: str, heading: str) -> tuple[Told, ...]:
    """Return the problems below a heading."""
    pattern = (
        r"<li>(?:<code>(?P<path>.*?)</code>: )?(?P<message>.*?)"
        r"(?: Found: <code>(?P<value>.*?)</code>)?\s*</li>"
    )
    lists = re.findall(rf"<h3>{heading}</h3>\s*<ul>(.*?)</ul>", section, re.DOTALL)
    return tuple(
        Told(
            html.unescape(item["path"] or ""),
            html.unescape(item["message"]),
            None if item["value"] is None else html.unescape(item["value"]),
        )
        for items in lists
        for item in re.finditer(pattern, items, re.DOTALL)
    )


def _beside_fields(page: str) -> tuple[Told, ...]:
    """Return the problems beside the fields of the form, by the names that the API gives them."""
    fields = re.findall(r'<div class="upload__field errors">(.*?)</div>', page, re.DOTALL)
    told = []
    for field in fields:
        name = re.search(r'name="(\w+)"', field)
        value = re.search(r'value="(.*?)"', field)
        for message in re.findall(r"<li>(.*?)</li>", field):
            told.append(
                Told(
                    f"context.{name[1] if name else ''}",
                    html.unescape(message),
                    html.unescape(value[1]) if value else None,
                )
            )
    return tuple(told)


def _text_of(markup: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup)))
