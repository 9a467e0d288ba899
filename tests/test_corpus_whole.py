"""Every file of the corpus by the API: taken, or refused with the reason that stands here."""

from fnmatch import fnmatchcase
from pathlib import Path

from django.db import transaction
from django.test import Client

from tests.corpus import post_file

# What many tools do not write into their files; each takes what it lacks.
CONTEXT = {
    "model_name": "acme/Nimbus-7B",
    "quantization": "Q4_K_M",
    "backend": "vllm",
    "gpu_model": "RTX 4090",
}
UNKNOWN = (415, "No known format matches this file.")
# By folder and name: status, and words of the reason. A file that is not here is taken.
REFUSED = {
    "aiperf/*--gpu_telemetry_export.jsonl": (415, "AIPerf's readings of GPUs"),
    "aiperf/*--profile_export.jsonl": (415, "AIPerf's records of single requests"),
    "aiperf-synthetic/*": (415, "AIPerf's records of single requests"),
    "evalplus/*--evalperf--*": (415, "EvalPerf's figures of how fast"),
    "evalplus/*--repoqa--*": (415, "RepoQA's scores by threshold"),
    "llama-bench-csv/*--qwen3.6-35b-a3b-q4-k-m-ollama-*": (422, "a header but no result row"),
    "llama-bench-docs/*--README.md": (422, "and a Markdown table of results here"),
    "llama-bench-docs/*--README.md.block0.csv": (422, "27 values, the header 26 columns"),
    "llama-bench-docs/*--README.md.block0.sql": (422, "27 values, the header 26 columns"),
    "llama-bench-md/*--pull_requests--428_*": (415, "sets builds side by side"),
    "llmperf/philschmid__*_tp_1_summary.json": (415, "three figures of each llmperf summary"),
    "llmperf/*__raw_data--individual--*": (415, "llmperf's records of single requests"),
    "mlperf/*--HPE--summary.csv": (422, "a header but no row"),
    "mlperf/*--mlperf-5.*.csv": (415, "as it is published"),
    "mmlu-pro/Comma0103__*_collection.csv": (415, "MMLU-Pro's list of runs"),
    "mmlu-pro/Jack-Lingjie__*_collection.csv": (400, "merge conflict marker"),
    "mmlu-pro/*--subject_score--*": (415, "figures by field without a total"),
    "mmlu-pro/*_08-16_11-41_summary.txt": (422, "has 0 of 14 categories"),
    "mmlu-pro/*_08-15_16-20_summary.txt": (422, "has 1 of 14 categories"),
    "mmlu-pro/*--minimax-m2.5-comparison.csv": UNKNOWN,
    "mmlu-pro/*--minimax-m2.5-consolidated-report.md": UNKNOWN,
    "other-csv/*": UNKNOWN,
    "other-json/*": UNKNOWN,
    "vllm-serve-other/*": UNKNOWN,
}


def test_every_file_is_taken_or_refused_with_a_reason(
    corpus: Path, client: Client, token: str
) -> None:
    """Each meets a site without the others; a second time one that was taken changes nothing."""
    met = set()
    for path in sorted(corpus.glob("*/*")):
        name = f"{path.parent.name}/{path.name}"
        patterns = [pattern for pattern in REFUSED if fnmatchcase(name, pattern)]
        assert len(patterns) <= 1, (name, patterns)
        with transaction.atomic():
            response = post_file(client, token, path, **CONTEXT)
            again = post_file(client, token, path, **CONTEXT)
            transaction.set_rollback(True)
        body = response.json()
        if not patterns:
            assert response.status_code == 201, (name, body)
            assert (again.status_code, again.json()["outcome"]) == (200, "unchanged"), name
            continue
        status, words = REFUSED[patterns[0]]
        assert (response.status_code, again.status_code) == (status, status), (name, body)
        assert words in body["details"][0]["message"], (name, body)
        met.add(patterns[0])
    assert met == REFUSED.keys()


def test_the_corpus_is_what_its_manifest_names(corpus: Path) -> None:
    lines = (corpus / "MANIFEST.tsv").read_text(encoding="utf-8").splitlines()[1:]
    named = {line.split("\t", 1)[0] for line in lines}
    assert named == {f"{path.parent.name}/{path.name}" for path in corpus.glob("*/*")}
