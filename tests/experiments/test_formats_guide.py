"""What the site reads: told by the API and the upload page, with lines that work when typed."""

import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import escape

from experiments.formats import FORMATS
from experiments.formats.base import Format
from experiments.formats.guide import REQUIRED, tool_guides
from experiments.ingest.context import CONTEXT_FIELDS
from experiments.metrics import METRICS
from tests.factories import make_staff

README = Path(__file__).resolve().parents[2] / "README.md"
SUMMARY = Path(__file__).parent / "samples" / "mmlu_pro_summary.txt"
ADDRESS = "http://testserver/api/uploads"


@pytest.mark.django_db
def test_the_api_lists_every_format_in_the_order_of_their_detection(client: Client) -> None:
    answer = client.get("/api/formats")
    assert answer.status_code == 200
    formats = {item["name"]: item for item in answer.json()["formats"]}
    assert list(formats) == [item.name for item in FORMATS]
    assert formats["llama-bench-json"] == {
        "name": "llama-bench-json",
        "title": "llama-bench JSON or JSON Lines",
        "version": next(item.version for item in FORMATS if item.name == "llama-bench-json"),
        "tool": "llama-bench",
        "command": "llama-bench -m model.gguf -o json > result.json",
        "fills": formats["llama-bench-json"]["fills"],
        "lacks": [],
        "curl": f'curl -H "Authorization: Bearer $TOKEN" -F file=@result.json {ADDRESS}',
    }
    assert "/api/formats" in client.get("/api/openapi.json").json()["paths"]


@pytest.mark.parametrize("found", FORMATS, ids=lambda item: item.name)
def test_formats_fill_and_lack_what_the_site_knows(found: Format) -> None:
    known = {*CONTEXT_FIELDS, *METRICS, "scores"}
    fills, lacks = found.fills, found.lacks
    assert set(fills) <= known
    assert set(lacks) <= set(REQUIRED)
    assert fills


@pytest.mark.django_db
def test_the_upload_page_has_a_line_for_each_tool(client: Client) -> None:
    client.force_login(make_staff())
    text = client.get("/admin/experiments/upload/add/").content.decode()
    guides = list(tool_guides(FORMATS, ADDRESS))
    tools = [guide.tool for guide in guides]
    assert tools == sorted({item.tool for item in FORMATS if item.tool}, key=str.lower)
    for guide in guides:
        assert f'<th scope="row">{guide.tool}</th>' in text
        assert escape(guide.curl) in text


def test_the_readme_has_the_lines_of_the_upload_page() -> None:
    readme = README.read_text(encoding="utf-8")
    for guide in tool_guides(FORMATS, "http://127.0.0.1:8000/api/uploads"):
        commands = "<br>".join(f"`{command}`" for command in guide.commands) or "–"
        assert f"| {guide.tool} | {commands} | `{guide.curl}` |" in readme


@pytest.mark.django_db
def test_the_line_of_a_format_sends_what_it_lacks(client: Client, token: str) -> None:
    """Send a table that names neither model nor machine, with the fields that its line gives."""
    formats = client.get("/api/formats").json()["formats"]
    line = next(item["curl"] for item in formats if item["name"] == "mmlu-pro-text")
    words = shlex.split(line)
    fields = dict(word.split("=", 1) for flag, word in pairwise(words) if flag == "-F")
    assert fields.pop("file") == "@summary.txt"
    sent = SimpleUploadedFile("summary.txt", SUMMARY.read_bytes())
    headers = {"authorization": f"Bearer {token}"}
    answer = client.post("/api/uploads", {"file": sent, **fields}, headers=headers)
    assert answer.status_code == 201, answer.content
    assert words[-1] == ADDRESS
