"""Mutated files by API and form: never a defect or a part of one written, every page still there.

Those of the corpus are mutated, too, where it is there: a few of each folder.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.models import ApiToken
from tests.conftest import CORPUS
from tests.experiments.mutations import mutated
from tests.experiments.samples import FOLDER, sample_files
from tests.experiments.test_llama_bench import row
from tests.experiments.ways_in import by_form, facts

PUBLISHED = Path(__file__).resolve().parents[2] / "experiments" / "sample"
LARGEST_BYTES = 30_000
PAGES = ("/", "/?expand=all", "/api/performance-grid", "/api/configurations", "/api/runs")
WITHIN_A_TEST = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def small_files(folder: Path, pattern: str = "*", *, at_most: int) -> list[bytes]:
    """Return the smallest files that a pattern finds."""
    sizes = sorted((path.stat().st_size, path) for path in folder.glob(pattern) if path.is_file())
    return [path.read_bytes() for size, path in sizes[:at_most] if 0 < size <= LARGEST_BYTES]


def sources() -> list[bytes]:
    """Return what is mutated: every sample, and of what was published the smallest files."""
    own = [json.dumps([row(), row(n_prompt=512, n_gen=0)]).encode()]
    own += [path.read_bytes() for path in sample_files()]
    own += small_files(PUBLISHED, "*.json", at_most=6)
    return own + corpus_files()


def corpus_files() -> list[bytes]:
    """Return the smallest files of every folder, near misses included.

    Where all files of a folder are large, the first lines of each stand for it.
    """
    found = []
    for folder in sorted(path for path in CORPUS.glob("*") if path.is_dir()):
        found += small_files(folder, at_most=5) or [
            path.read_bytes()[:LARGEST_BYTES].rpartition(b"\n")[0]
            for path in sorted(folder.iterdir())
        ]
    return found


SOURCES = sources()


def send(client: Client, body: bytes, secret: str) -> Any:
    """Send a file with what it may lack."""
    context = "model_name=Nimbus-1B&quantization=Q8_0&backend=vLLM&gpu_model=RTX%204090"
    return client.post(
        f"/api/uploads?{context}",
        body,
        "application/octet-stream",
        headers={"Authorization": f"Bearer {secret}"},
    )


def see_pages(client: Client, answer: dict[str, Any]) -> None:
    """See that whatever lists or shows what was taken can be read."""
    runs = list(dict.fromkeys(answer["runs"]))[:2]  # a run that stands twice is listed twice
    addresses = [*PAGES, *(f"/detail/{run}/" for run in runs)]
    addresses += [f"/api/detail/{run}" for run in runs]
    if len(runs) == 2:
        addresses += [f"/compare/{runs[0]}/{runs[1]}/", f"/api/comparison?run={'&run='.join(runs)}"]
    for address in addresses:
        assert client.get(address).status_code == 200, address


@settings(max_examples=150, suppress_health_check=WITHIN_A_TEST)
@given(data=st.data())
def test_mutated_files_are_taken_whole_or_refused(
    db: None, client: Client, data: st.DataObject
) -> None:
    body = mutated(data, data.draw(st.sampled_from(SOURCES), label="file"))
    with transaction.atomic():
        secret = ApiToken.issue(name="mutations", scopes=["upload"])
        before = facts()
        response = send(client, body, secret)
        answer = response.json()
        if response.status_code in (200, 201):
            see_pages(client, answer)
        else:
            assert response.status_code in (400, 409, 415, 422)
            assert facts() == before
            assert answer["details"]
            assert all(problem["message"] for problem in answer["details"])
        transaction.set_rollback(True)


@settings(max_examples=50, suppress_health_check=WITHIN_A_TEST)
@given(data=st.data())
def test_mutated_files_have_a_preview_or_a_reason_on_the_form(
    db: None, data: st.DataObject
) -> None:
    body = mutated(data, data.draw(st.sampled_from(SOURCES), label="file"))
    with transaction.atomic():
        before = facts()
        answer = by_form(Client(), body, "mutated.json")
        assert answer.status in (200, 400, 409, 415, 422)
        assert answer.status == 200 or answer.errors or "The file does not say:" in answer.text
        assert facts() == before
        transaction.set_rollback(True)


def test_every_sample_is_mutated() -> None:
    """A file that is put beside the others is a sample, and none of them is too large for it."""
    for path in FOLDER.iterdir():
        if path.is_file() and path.name not in ("README.md", "__init__.py"):
            assert path.stat().st_size <= LARGEST_BYTES, path.name
            assert path.read_bytes() in SOURCES, path.name


def test_every_folder_of_the_corpus_is_mutated(corpus: Path) -> None:
    for folder in (path for path in corpus.iterdir() if path.is_dir()):
        files = [path.read_bytes() for path in folder.iterdir()]
        assert any(file.startswith(source) for file in files for source in SOURCES), folder.name


@pytest.mark.parametrize("position", range(len(SOURCES)))
def test_what_is_mutated_can_be_sent(db: None, client: Client, position: int) -> None:
    """Mutations of files that nobody reads would find nothing."""
    response = send(client, SOURCES[position], ApiToken.issue(name="whole", scopes=["upload"]))
    assert response.status_code < 500
