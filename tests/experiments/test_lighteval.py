"""lighteval: names of tasks and metrics, models of its versions, guessed and partial scores."""

import copy
import json
from typing import Any

import pytest
from django.test import Client

from benchmarks.models import BenchmarkScore
from benchmarks.services import confirm_scores
from benchsite.common.review import Who
from experiments.formats.chance import guessing_doubt
from experiments.formats.lighteval.tasks import read_metric, read_name
from tests.experiments import form_upload
from tests.experiments.scores import ingest_scores, only, parse, problems, sample, scores
from tests.experiments.ways_in import by_api, by_form

FORMAT = "lighteval-json"
SUBJECTS = ("abstract_algebra", "anatomy")


def document(results: dict[str, Any], **general: Any) -> dict[str, Any]:
    return {
        "config_general": {"model_name": "acme/Nimbus-8B", "max_samples": None, **general},
        "results": results,
        "versions": dict.fromkeys(results, 0),
    }


def stored(data: dict[str, Any], **fields: str) -> dict[str, BenchmarkScore]:
    """Send a file and return what is stored by benchmark."""
    report = ingest_scores(data, **{"quantization": "BF16", **fields})
    assert report.outcome == "created", report.errors
    found = BenchmarkScore.objects.filter(pk__in=[item.id for item in report.scores])
    return {score.benchmark.slug: score for score in found.select_related("benchmark", "variant")}


@pytest.mark.parametrize(
    ("key", "suite", "plain", "shots"),
    [
        ("leaderboard|arc:challenge|25", "leaderboard", "arc_challenge", 25),
        ("harness|hendrycksTest-anatomy|5", "harness", "hendrycksTest-anatomy", 5),
        ("lighteval|gsm8k|5|1", "lighteval", "gsm8k", 5),
        ("gsm8k|0", "", "gsm8k", 0),
        ("gpqa:diamond", "", "gpqa_diamond", None),
        ("lighteval|gpqa:main|0", "lighteval", "gpqa", 0),
        ("leaderboard|mmlu:_average|5", "leaderboard", "mmlu", 5),
    ],
)
def test_a_tasks_key_is_taken_apart(key: str, suite: str, plain: str, shots: int | None) -> None:
    name = read_name(key)
    assert (name.suite, name.plain, name.shots) == (suite, plain, shots)


@pytest.mark.parametrize(
    ("name", "metric", "samples"),
    [
        ("qem", "qem", None),
        ("pass@k:k=1&n=8", "pass@1", "8 samples"),
        ("gpqa_pass@1:8_samples", "pass@1", "8 samples"),
        ("codegen_pass@1:16", "pass@1", "16 samples"),
        ("maj@4", "maj@4", None),
        ("avg@n:n=64", "avg@64", None),
        ("truthfulqa_mc2", "mc2", None),
        ("em:normalize_gold=gsm8k_normalizer", "em", "normalize_gold=gsm8k_normalizer"),
    ],
)
def test_a_metrics_name_is_taken_apart(name: str, metric: str, samples: str | None) -> None:
    assert read_metric(name) == (metric, samples)


def test_the_older_shape_gives_a_score_a_task_and_none_for_all(db: None) -> None:
    parsed = parse(sample("lighteval_general.json"), FORMAT)
    found = {name: items[0].stated_score for name, items in scores(parsed).items()}
    assert found == {
        "gsm8k": pytest.approx(3.4116755),
        "arc_challenge": 43.86,
        "arc_challenge_acc": 41.2,
        "mmlu": 35.0,
        "truthfulqa": 45.8,
        "truthfulqa_mc1": 29.0,
        "mt_bench_single_turn": 7.7125,
    }
    gsm8k = only(parsed, "gsm8k")
    assert gsm8k.stderr == pytest.approx(0.5000212)
    assert gsm8k.total == 1319
    assert gsm8k.path == "results.lighteval|gsm8k|5.qem"
    assert gsm8k.protocol.key == (
        "harness lighteval; task version lighteval 0; metric qem; shots 5"
    )
    (score_set,) = parsed.score_sets
    assert (score_set.model.model_name, score_set.model.quantization) == (
        "google/gemma-2b-it",
        None,
    )
    assert gsm8k.context["model_size"] == "4.68 GB"


def test_the_type_a_model_was_loaded_in_is_no_quantization(db: None) -> None:
    report = ingest_scores(sample("lighteval_general.json"))
    assert report.missing == ("quantization",)


def test_the_name_of_the_file_suggests_the_quantization(db: None, client: Client) -> None:
    client_answer = by_form(
        client, sample("lighteval_general.json"), "results_gemma-2b-it_hqq_int8.json"
    )
    assert client_answer.status == 422
    suggested = form_upload.draft("results_gemma-2b-it_hqq_int8.json").report["suggestions"]
    assert suggested == {"quantization": "HQQ-8bit"}


def test_subsets_without_their_average_and_a_few_of_many_are_partial(db: None) -> None:
    rows = {f"leaderboard|mmlu:{name}|5": {"acc": 0.5} for name in SUBJECTS}
    mmlu = stored(document(rows))["mmlu"]
    assert (mmlu.score, mmlu.complete) == (50.0, False)
    assert "55 of 57 categories are missing" in (mmlu.partial_reason or "")
    with_average = stored(document(rows | {"leaderboard|mmlu:_average|5": {"acc": 0.5}}))["mmlu"]
    assert not with_average.complete


def test_the_newer_shape_names_model_settings_and_samples(db: None) -> None:
    parsed = parse(sample("lighteval_model_config.json"), FORMAT)
    (score_set,) = parsed.score_sets
    assert (score_set.model.model_name, score_set.model.quantization) == (
        "Nimbus-8B-Instruct",
        "AWQ",
    )
    gpqa = only(parsed, "gpqa_diamond")
    assert gpqa.stated_score == pytest.approx(41.919192)
    assert gpqa.total == 198
    assert (gpqa.protocol.chat_template or "").startswith("yes, system instruction ")
    assert gpqa.context["temperature"] == 0.6
    assert "secret-word" not in json.dumps([dict(score.context) for score in score_set.scores])
    assert only(parsed, "aime24").protocol.metric_filter == "pass@1,8 samples"
    gsm8k = only(parsed, "gsm8k")  # "np.float64(0.7339)" with an error of "N/A"
    assert (gsm8k.stated_score, gsm8k.stderr) == (73.39, None)
    assert gsm8k.protocol.task_version == "0"


def test_the_model_may_stand_in_a_section_of_its_own_and_be_an_adapter() -> None:
    data = document({"lighteval|gsm8k|5": {"qem": 0.5}})
    data["config_general"].pop("model_name")
    data["model_config"] = {
        "pretrained": "acme/Nimbus-LoRA",
        "base_model": "acme/Nimbus-8B",
        "adapter_weights": True,
        "dtype": "4bit",
    }
    model = parse(data, FORMAT).score_sets[0].model
    assert (model.model_name, model.lora_adapter) == ("acme/Nimbus-8B", "acme/Nimbus-LoRA")
    assert model.quantization == "BNB-4bit"


def test_a_limit_on_samples_is_partial_and_never_current(db: None) -> None:
    score = stored(document({"lighteval|gsm8k|5": {"qem": 0.5}}, max_samples=100))["gsm8k"]
    assert (score.partial_reason, score.is_current) == ("limit 100", False)


def test_fewer_questions_than_there_are_is_partial(db: None) -> None:
    data = document({"lighteval|gsm8k|5": {"qem": 0.5}})
    data["config_tasks"] = {"lighteval|gsm8k": {"original_num_docs": 1319, "effective_num_docs": 9}}
    score = stored(data)["gsm8k"]
    assert (score.partial_reason, score.total) == ("9 of 1319 questions", 9)


@pytest.mark.parametrize(
    ("task", "row", "benchmark", "why"),
    [
        ("arc:challenge|25", {"acc_norm": 0.207}, "arc_challenge", "guessing among 4"),
        ("hellaswag|10", {"acc_norm": 0.259}, "hellaswag", "guessing among 4"),
        ("winogrande|5", {"acc": 0.512, "acc_stderr": 0.014}, "winogrande", "guessing among 2"),
        ("gsm8k|5", {"qem": 0.00076}, "gsm8k", "hardly any answer is right"),
    ],
)
def test_what_guessing_reaches_is_not_ranked_until_confirmed(
    db: None, task: str, row: dict[str, float], benchmark: str, why: str
) -> None:
    data = document({f"leaderboard|{task}": row})
    report = ingest_scores(data, quantization="BF16")
    (warning,) = report.warnings
    assert why in warning.message
    assert warning.message.endswith("not ranked until confirmed.")
    score = BenchmarkScore.objects.get(pk=report.scores[0].id)
    assert score.needs_confirmation
    assert not score.is_current
    assert why in score.context["doubt"]
    confirm_scores(score_ids=[score.pk], as_fractions=False, who=Who("curator", "user:1"))
    score.refresh_from_db()
    assert score.is_current
    assert ingest_scores(data, quantization="BF16").outcome == "unchanged"


def test_what_is_better_than_guessing_is_ranked(db: None) -> None:
    rows = {"leaderboard|winogrande|5": {"acc": 0.53, "acc_stderr": 0.014}}
    assert stored(document(rows))["winogrande"].is_current


def test_a_doubt_is_shown_in_the_preview(db: None, client: Client) -> None:
    data = json.dumps(document({"leaderboard|hellaswag|10": {"acc_norm": 0.25}})).encode()
    answer = by_form(client, data, "results.json", quantization="BF16")
    assert "guessing among 4 answers gives 25: did the run work?: not ranked" in answer.text


@pytest.mark.parametrize(
    ("score", "stderr", "choices", "doubted"),
    [
        (25.9, None, 4, True),
        (26.1, None, 4, False),
        (27.9, 1.5, 4, True),
        (10.9, None, 10, True),
        (0.0, None, None, True),
        (1.1, 0.2, None, False),
    ],
)
def test_a_score_is_doubted_up_to_two_errors_above_guessing(
    score: float, stderr: float | None, choices: int | None, doubted: bool
) -> None:
    assert (guessing_doubt(score, stderr=stderr, choices=choices) is not None) is doubted


def test_a_size_that_16_bits_do_not_explain_is_a_hint_and_no_fact() -> None:
    data = document({"lighteval|gsm8k|5": {"qem": 0.5}}, model_size="8.46 GB")
    parsed = parse(data, FORMAT)
    (warning,) = parsed.warnings
    assert warning.path == "config_general.model_size"
    assert "about 8.5 bits for each of the 8 billion parameters" in warning.message
    assert parsed.score_sets[0].model.quantization is None
    assert parsed.score_sets[0].model.weights_gb is None
    data["config_general"]["model_size"] = "16.2 GB"
    assert parse(data, FORMAT).warnings == ()


def test_one_task_under_two_suites_gives_two_protocols() -> None:
    rows = {"lighteval|gsm8k|5": {"qem": 0.5}, "leaderboard|gsm8k|5": {"qem": 0.4}}
    first, second = scores(parse(document(rows), FORMAT))["gsm8k"]
    assert first.protocol.key != second.protocol.key


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"results": {"all": {"acc": 0.5}}}, "results", "no task"),
        ({"results": {}}, "results", "no task"),
        ({"results": {"lighteval|gsm8k|5": 0.5}}, "results.lighteval|gsm8k|5", "an object"),
        (
            {"results": {"lighteval|gsm8k|5": {"qem": 50.0}}},
            "results.lighteval|gsm8k|5.qem",
            "between 0 and 1",
        ),
        (
            {"results": {"lighteval|gsm8k|5": {"qem": "good"}}},
            "results.lighteval|gsm8k|5.qem",
            "A number is expected",
        ),
        (
            {"results": {"a|b:c|0": {"acc": 0.5}, "a|b_c|0": {"acc": 0.5}}},
            "results.a|b_c|0",
            "stands twice",
        ),
        ({"versions": 3}, "versions", "An object"),
    ],
)
def test_what_cannot_be_right_is_named(change: dict[str, Any], path: str, words: str) -> None:
    data = document({"lighteval|gsm8k|5": {"qem": 0.5}}) | change
    (problem,) = problems(data, FORMAT)
    assert problem.path == path
    assert words in problem.message


def test_not_a_number_is_left_out_with_a_warning() -> None:
    rows = {"lighteval|gsm8k|5": {"qem": 0.5}, "lighteval|drop|3": {"f1": float("nan")}}
    parsed = parse(document(rows), FORMAT)
    assert list(scores(parsed)) == ["gsm8k"]
    assert parsed.warnings[0].path == "results.lighteval|drop|3.f1"


def test_the_api_names_what_is_lacking_and_takes_it_beside_the_file(
    client: Client, db: None
) -> None:
    data = sample("lighteval_general.json")
    assert by_api(client, data, "r.json").error_at("quantization")
    assert by_api(client, data, "r.json", quantization="BF16").status == 201


def test_config_and_results_of_other_tools_are_not_taken_for_it() -> None:
    data = copy.deepcopy(document({"gsm8k": {"acc,none": 0.5}}))
    data.pop("config_general")
    data["config"] = {"model": "hf", "model_args": "pretrained=acme/Nimbus"}
    parse(data, "lm-eval-json")
