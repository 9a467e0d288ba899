"""What the site reads: told by the API and the upload page, with lines that work when typed."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.html import escape

from experiments.formats import FORMATS, detect_format
from experiments.formats.base import Format, RunFacts, ScoreFacts
from experiments.formats.content import decode
from experiments.formats.guide import REQUIRED, tool_guides
from experiments.formats.tables import with_tables
from experiments.ingest.context import CONTEXT_FIELDS
from experiments.management.commands.write_docs import DOCUMENTS
from experiments.metrics import METRICS
from tests.corpus import post_file
from tests.experiments.samples import sample_files
from tests.factories import make_staff

SUMMARY = Path(__file__).parent / "samples" / "mmlu_pro_summary.txt"
ADDRESS = "http://testserver/api/uploads"
# What a sample lacks that files of its format do not lack as a rule.
UNUSUAL = {"llama_bench_no_gpu.json": ("gpu_model",)}
REQUIRED_CELLS = {
    "model_name": "model",
    "quantization": "quantization",
    "backend": "backend",
    "gpu_model": "gpu",
}


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


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_tables_of_the_documents_are_those_of_the_registry(name: str) -> None:
    """`make docs` writes them."""
    text = (settings.BASE_DIR / name).read_text(encoding="utf-8")
    assert text == with_tables(text, FORMATS)


@pytest.mark.parametrize("found", FORMATS, ids=lambda item: item.name)
def test_a_format_has_a_row_in_each_table_that_fits_what_it_fills_and_lacks(found: Format) -> None:
    document = (settings.BASE_DIR / "docs" / "formats.md").read_text(encoding="utf-8")
    runs = any(isinstance(facts, RunFacts) for facts in found.about.facts)
    scores = any(isinstance(facts, ScoreFacts) for facts in found.about.facts)
    assert scores == ("scores" in found.fills)
    assert runs == any(key in METRICS for key in found.fills)
    rows = [line for line in document.splitlines() if re.match(rf"\| [^|]*`{found.name}`", line)]
    assert len(rows) == 1 + runs + scores
    assert set(found.lacks) <= {name for name, cells in required_cells(found) if "?" in str(cells)}


@pytest.mark.parametrize("found", FORMATS, ids=lambda item: item.name)
def test_samples_lack_what_their_format_says(found: Format, client: Client, token: str) -> None:
    """What no version tells is missing in every sample, and nothing that is not in `lacks`."""
    never = {name for name, cells in required_cells(found) if set(cells) == {"?"}}
    samples = [path for path in sample_files() if is_of(path, found)]
    assert samples, "A format has a sample in tests/experiments/samples."
    for path in samples:
        response = post_file(client, token, path)
        assert response.status_code in ((422,) if never else (201, 422)), path.name
        missing = set(response.json().get("missing", ()))
        assert never <= missing <= {*found.lacks, *UNUSUAL.get(path.name, ())}, path.name


def is_of(path: Path, found: Format) -> bool:
    return detect_format(decode(path.read_bytes(), path.name)).name == found.name


def required_cells(found: Format) -> list[tuple[str, list[str]]]:
    """Return each field that the site needs, with what the tables say of it by version."""
    return [
        (name, [getattr(facts, cell) for facts in found.about.facts if hasattr(facts, cell)])
        for name, cell in REQUIRED_CELLS.items()
    ]


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
