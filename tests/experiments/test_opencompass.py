"""OpenCompass summaries: three spellings of one table, groups, hashes, modes and metrics."""

import pytest
from django.test import Client

from benchmarks.models import BenchmarkScore
from tests.experiments.scores import ingest_scores, only, parse, problems, sample, scores
from tests.experiments.ways_in import by_api, by_form

FORMAT = "opencompass-summary"
HEADER = "dataset,version,metric,mode,nimbus-7b-hf"
SPELLINGS = (
    "opencompass_summary.txt",
    "opencompass_summary.csv",
    "opencompass_summary.md",
    "opencompass_table.txt",
)


def table(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_gives_the_same_scores_by_model(name: str) -> None:
    parsed = parse(sample(name), FORMAT)
    llama, qwen = parsed.score_sets
    assert (llama.model.model_name, llama.model.quantization) == ("llama-3-8b-instruct", None)
    assert (qwen.model.model_name, qwen.model.quantization) == ("qwen1.5-7b-chat", "AWQ")
    assert {score.benchmark: score.stated_score for score in llama.scores} == {
        "mmlu": 68.3,
        "gsm8k": 79.08,
        "humaneval": 55.49,
        "ifeval": 67.84,
        "ifeval_Inst-level-strict-accuracy": 75.9,
        "lcsts": 12.38,
        "toxigen": 0.31,
    }
    assert {score.benchmark: score.stated_score for score in qwen.scores} == {
        "mmlu": 57.78,
        "gsm8k": 50.87,
        "humaneval": 23.78,
    }
    (warning,) = parsed.warnings
    assert (warning.value, "unlike data sets" in warning.message) == ("average", True)


def test_hash_metric_and_mode_are_the_protocol_and_the_time_has_no_zone() -> None:
    parsed = parse(sample("opencompass_summary.txt"), FORMAT)
    score = parsed.score_sets[0].scores[2]
    assert score.protocol.key == (
        "harness opencompass; task version openai_humaneval 8e312c; metric humaneval_pass@1, gen"
    )
    assert f"{score.measured_at}" == "2024-05-01 12:34:56"
    assert not score.zone_known
    assert score.path.endswith(": llama-3-8b-instruct-hf")
    assert score.context == {"model": "llama-3-8b-instruct-hf", "engine": "hf"}


def test_the_groups_of_mmlu_are_its_categories(db: None) -> None:
    report = ingest_scores(sample("opencompass_summary.txt"), quantization="BF16")
    assert report.outcome == "created"
    found = {
        (item.model_name, item.benchmark): BenchmarkScore.objects.get(pk=item.id)
        for item in report.scores
    }
    mmlu = found["llama-3-8b-instruct", "mmlu"]
    assert mmlu.complete
    assert mmlu.is_current
    assert {item.category: item.score for item in mmlu.categories.all()} == {
        "stem": 57.92,
        "social_sciences": 77.83,
        "humanities": 71.2,
        "other": 71.79,
    }
    assert found["llama-3-8b-instruct", "toxigen"].benchmark.higher_is_better is False
    assert not any(score.needs_confirmation for score in found.values())


def test_groups_without_their_whole_are_partial(db: None) -> None:
    data = table("mmlu-stem,-,naive_average,gen,57.92", "mmlu-other,-,naive_average,gen,60.00")
    report = ingest_scores(data.encode(), quantization="BF16")
    score = BenchmarkScore.objects.get(pk=report.scores[0].id)
    assert (score.benchmark.slug, score.complete) == ("mmlu", False)
    assert "25 of 57 categories are missing" in (score.partial_reason or "")


def test_all_subjects_make_a_whole(db: None) -> None:
    fields = (
        *("biology", "business", "chemistry", "computer_science", "economics", "engineering"),
        *("health", "history", "law", "math", "other", "philosophy", "physics", "psychology"),
    )
    rows = [f"mmlu_pro_{name},736233,accuracy,gen,50.00" for name in fields]
    report = ingest_scores(table(*rows).encode(), quantization="BF16")
    score = BenchmarkScore.objects.get(pk=report.scores[0].id)
    assert (score.benchmark.slug, score.score, score.complete) == ("mmlu_pro", 50.0, True)
    assert score.task_version == "736233"


def test_two_modes_of_a_data_set_are_two_protocols() -> None:
    parsed = parse(table("siqa,ea30d1,accuracy,ppl,75.03", "siqa,e8d8c5,accuracy,gen,70.1"), FORMAT)
    first, second = scores(parsed)["siqa"]
    assert first.protocol.key != second.protocol.key


def test_a_row_that_stands_twice_is_one_score_unless_its_figures_differ() -> None:
    row = "gsm8k,1d7fe4,accuracy,gen,79.08"
    assert len(parse(table(row, row), FORMAT).score_sets[0].scores) == 1
    (problem,) = problems(table(row, row.replace("79.08", "78.08")), FORMAT)
    assert (problem.path, problem.value) == ("line 3: nimbus-7b-hf", "78.08")
    assert "stands twice" in problem.message


def test_fractions_where_percent_is_meant_wait_for_a_curator(db: None) -> None:
    data = table("gsm8k,1d7fe4,accuracy,gen,0.79", "hellaswag,e42710,accuracy,gen,0.74")
    report = ingest_scores(data.encode(), quantization="BF16")
    found = BenchmarkScore.objects.filter(pk__in=[item.id for item in report.scores])
    assert [(s.needs_confirmation, s.is_current) for s in found] == [(True, False)] * 2


def test_a_low_percentage_among_others_is_no_fraction() -> None:
    parsed = parse(table("math,1,accuracy,gen,0.52", "gsm8k,1,accuracy,gen,12.00"), FORMAT)
    assert only(parsed, "math").scale_known


@pytest.mark.parametrize("cell", ["-", "N/A", "", "None"])
def test_what_was_not_run_is_no_score(cell: str) -> None:
    parsed = parse(table(f"gsm8k,1,accuracy,gen,{cell}", "math,1,accuracy,gen,12.00"), FORMAT)
    assert list(scores(parsed)) == ["math"]


def test_numbers_of_numpy_and_nan_are_read_or_left_out_with_a_warning() -> None:
    parsed = parse(
        table("gsm8k,1,accuracy,gen,np.float64(79.08)", "math,1,accuracy,gen,nan"), FORMAT
    )
    assert only(parsed, "gsm8k").stated_score == 79.08
    assert [warning.path for warning in parsed.warnings] == ["line 3: nimbus-7b-hf"]


def test_a_log_behind_the_table_is_no_row() -> None:
    log = "05/01 12:34:56 - OpenCompass - INFO - write summary to /root/outputs/summary.txt\n"
    text = sample("opencompass_table.txt").decode() + log
    assert len(parse(text, FORMAT).score_sets) == 2


def test_pass_at_10_alone_is_not_humaneval() -> None:
    parsed = parse(table("openai_humaneval,8e312c,humaneval_pass@10,gen,70.1"), FORMAT)
    assert list(scores(parsed)) == ["humaneval_humaneval_pass@10"]


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        (table("gsm8k,1,accuracy,gen"), "line 2", "4 cells, the header 5"),
        (table("gsm8k,1,accuracy,gen,good"), "line 2: nimbus-7b-hf", "A number"),
        (table("gsm8k,1,accuracy,gen,790.8"), "line 2: nimbus-7b-hf", "in percent"),
        (table("gsm8k,1,accuracy,gen,-"), "line 1", "no figure"),
        (table(), "line 1", "no figure"),
        (f"{HEADER},nimbus-7b-hf\ngsm8k,1,accuracy,gen,1,2\n", "line 1", "of its own"),
        (f"20249999_999999\n{table('gsm8k,1,accuracy,gen,50')}", "line 1", "is written like"),
    ],
)
def test_what_cannot_be_right_is_named(text: str, path: str, words: str) -> None:
    (problem,) = problems(text, FORMAT)
    assert problem.path == path
    assert words in problem.message


def test_api_and_form_ask_for_the_quantization(client: Client, db: None) -> None:
    data = sample("opencompass_summary.csv").replace(b"-awq-vllm", b"-vllm")
    answer = by_api(client, data, "summary.csv")
    assert (answer.status, [error.path for error in answer.errors]) == (422, ["quantization"])
    assert by_form(client, data, "summary.csv", quantization="BF16").status == 200
