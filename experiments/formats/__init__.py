"""The formats that the site reads, in the order in which they are tried (no Django)."""

from dataclasses import replace

from experiments.formats import bigcode
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, Problem, UnknownFormatError, UnreadableError
from experiments.formats.evalplus import leaderboard as evalplus_leaderboard
from experiments.formats.evalplus import results as evalplus_results
from experiments.formats.genai_perf import csv as genai_perf_csv
from experiments.formats.genai_perf import json as genai_perf_json
from experiments.formats.guidellm import csv as guidellm_csv
from experiments.formats.guidellm import reports as guidellm
from experiments.formats.inference_perf import report as inference_perf
from experiments.formats.inferencex import csv as inferencex_csv
from experiments.formats.inferencex import json as inferencex_json
from experiments.formats.lighteval import json as lighteval_json
from experiments.formats.llama_bench import csv as llama_bench_csv
from experiments.formats.llama_bench import json as llama_bench_json
from experiments.formats.llama_bench import markdown as llama_bench_markdown
from experiments.formats.llama_bench import sql as llama_bench_sql
from experiments.formats.llama_bench import wrapped as llama_bench_wrapped
from experiments.formats.llmd import report as llmd_report
from experiments.formats.llmperf import summaries as llmperf
from experiments.formats.lm_eval import json as lm_eval_json
from experiments.formats.lm_eval import markdown as lm_eval_markdown
from experiments.formats.mlperf import csv as mlperf_csv
from experiments.formats.mlperf import json as mlperf_json
from experiments.formats.mlperf import loadgen as mlperf_loadgen
from experiments.formats.mmlu_pro import json as mmlu_pro_json
from experiments.formats.mmlu_pro import report as mmlu_pro_report
from experiments.formats.mmlu_pro import text as mmlu_pro_text
from experiments.formats.near_misses import advice
from experiments.formats.ollama import responses as ollama
from experiments.formats.opencompass import summary as opencompass_summary
from experiments.formats.optimum import csv as optimum_csv
from experiments.formats.optimum import json as optimum_json
from experiments.formats.records import skipped_lines
from experiments.formats.serving import console as serving_console
from experiments.formats.sglang import batch as sglang_batch
from experiments.formats.sglang import offline as sglang_offline
from experiments.formats.sglang import serving as sglang_serving
from experiments.formats.site import json as site_json
from experiments.formats.vllm import latency as vllm_latency
from experiments.formats.vllm import serve as vllm_serve
from experiments.formats.vllm import throughput as vllm_throughput


def _reporting_skipped_lines(json_format: Format) -> Format:
    """Return the format with a warning of the lines between JSON documents that are no JSON."""

    def parse(content: Content) -> ParsedFile:
        parsed = json_format.parse(content)
        return replace(parsed, warnings=(*parsed.warnings, *skipped_lines(content)))

    return replace(json_format, parse=parse)


# The formats of one JSON document or several; whatever lines stand between them are reported.
_JSON_FORMATS = (
    llama_bench_json.FORMAT,
    llama_bench_wrapped.FORMAT,
    sglang_serving.FORMAT,
    vllm_serve.FORMAT,
    inferencex_json.FORMAT,
    vllm_latency.FORMAT,
    vllm_throughput.FORMAT,
    sglang_batch.FORMAT,
    sglang_offline.FORMAT,
    guidellm.FORMAT,
    llmd_report.FORMAT,
    inference_perf.FORMAT,
    genai_perf_json.FORMAT,
    lighteval_json.FORMAT,
    lm_eval_json.FORMAT,
    optimum_json.FORMAT,
    mlperf_json.FORMAT,
    llmperf.FORMAT,
    ollama.FORMAT,
    evalplus_results.FORMAT,
    evalplus_leaderboard.FORMAT,
    bigcode.FORMAT,
    mmlu_pro_json.FORMAT,
    site_json.FORMAT,
)
FORMATS: tuple[Format, ...] = (
    llama_bench_csv.FORMAT,  # told by its first line, whatever stands in its cells
    genai_perf_csv.FORMAT,
    inferencex_csv.FORMAT,
    guidellm_csv.FORMAT,
    mlperf_csv.FORMAT,
    optimum_csv.FORMAT,
    opencompass_summary.FORMAT,
    guidellm.YAML_FORMAT,  # told by the keys at the margin, before JSON is looked for
    llmd_report.YAML_FORMAT,
    inference_perf.YAML_FORMAT,
    *map(_reporting_skipped_lines, _JSON_FORMATS),
    llama_bench_sql.FORMAT,
    mlperf_loadgen.FORMAT,
    serving_console.FORMAT,  # as a log, or in the JSON of a script
    llama_bench_markdown.FORMAT,
    mmlu_pro_report.FORMAT,
    mmlu_pro_text.FORMAT,
    lm_eval_markdown.FORMAT,
)


def detect_format(content: Content) -> Format:
    """Return the first format that recognises the content.

    Raises UnreadableError for JSON that is broken, UnknownFormatError for readable content that
    no format recognises. A log may hold what looks like broken JSON and be of a text format.
    """
    unreadable: UnreadableError | None = None
    for candidate in FORMATS:
        try:
            if candidate.detect(content):
                return candidate
        except UnreadableError as error:
            unreadable = unreadable or error
    if unreadable is not None:
        raise unreadable
    titles = "; ".join(item.title for item in FORMATS)
    known = f"No known format matches this file. Known are: {titles}."
    message = " ".join(filter(None, (advice(content), known)))
    raise UnknownFormatError(Problem("", message, _glimpse(content)))


def format_title(name: str) -> str:
    """Return the title of a format; the name itself where an earlier version knew the format."""
    return next((item.title for item in FORMATS if item.name == name), name)


def _glimpse(content: Content) -> str:
    """Return what the formats looked at: the keys of the first record, or the first line."""
    if content.looks_like_json and content.first_record:
        return "keys: " + ", ".join(list(content.first_record)[:12])
    return content.text.strip().splitlines()[0][:120]
