"""lm-evaluation-harness JSON: which figures become which scores, under which protocol."""

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.models import Benchmark, BenchmarkScore
from tests.experiments.scores import (
    group,
    ingest_scores,
    new_file,
    old_file,
    only,
    parse,
    problems,
    sample,
    scores,
)

FORMAT = "lm-eval-json"
MODEL = {"model_name": "acme/Nimbus", "quantization": "BF16"}


def test_old_files_give_percent_and_the_leaderboards_metric_as_main_figure() -> None:
    parsed = parse(sample("lm_eval_0_3.json"), FORMAT)
    found = {name: (item[0].stated_score, item[0].stderr) for name, item in scores(parsed).items()}
    assert found == {
        "arc_challenge": (59.13, 1.44),
        "arc_challenge_acc": (54.52, 1.46),
        "hellaswag": (82.13, 0.38),
        "hellaswag_acc": (61.14, 0.49),
        "truthfulqa": (44.23, 1.4),
        "truthfulqa_mc1": (28.03, 1.57),
        "winogrande": (76.4, 1.19),
        "drop": (9.6, 0.16),
        "drop_em": (0.14, 0.04),
        "wikitext_word_perplexity": (9.81, None),
        "wikitext_byte_perplexity": (1.53, None),
        "wikitext_bits_per_byte": (0.62, None),
    }
    (score_set,) = parsed.score_sets
    assert score_set.model.quantization == "F16"
    arc = only(parsed, "arc_challenge")
    assert arc.protocol.key == (
        "harness lm-evaluation-harness; task version 0; metric acc_norm; shots 25"
    )
    assert arc.complete
    assert arc.measured_at is None
    assert arc.path == "results.arc_challenge.acc_norm"
    assert only(parsed, "truthfulqa").protocol.task_version == "truthfulqa_mc 1"


def test_new_files_give_each_filter_a_protocol_of_its_own() -> None:
    parsed = parse(sample("lm_eval_0_4.json"), FORMAT)
    loose, strict = scores(parsed)["gsm8k"]
    assert (strict.stated_score, strict.stderr, strict.total) == (80.54, 1.09, 1319)
    assert (loose.stated_score, loose.stderr) == (81.23, None)
    assert strict.protocol.metric_filter == "exact_match,strict-match"
    assert loose.protocol.metric_filter == "exact_match,flexible-extract"
    assert strict.protocol.harness_version == "0.4.11"
    assert strict.protocol.shots == 5
    assert strict.protocol.chat_template is None  # "" of an endpoint tells nothing
    assert strict.measured_at == datetime(2026, 4, 29, 7, 11, 1, 698126, UTC)
    assert strict.zone_known
    assert strict.correct is None
    assert parsed.score_sets[0].model.model_name == "acme-labs/Nimbus-14B-Instruct"
    assert parsed.score_sets[0].model.quantization is None


def test_no_secret_and_no_home_folder_is_kept(db: None) -> None:
    ingest_scores(sample("lm_eval_0_4.json"), quantization="FP8")
    for score in BenchmarkScore.objects.all():
        kept = json.dumps(score.context)
        assert "secret-word" not in kept
        assert "/home" not in kept
        assert score.context["model_args"] == {"num_concurrent": 100}
        assert score.context["gen_kwargs"] == {"temperature": 0.0}


def test_the_strict_filter_becomes_current_and_the_other_never_ranks_with_it(db: None) -> None:
    report = ingest_scores(sample("lm_eval_0_4.json"), quantization="FP8")
    assert report.outcome == "created"
    current = BenchmarkScore.objects.get(is_current=True)
    assert current.metric_filter == "exact_match,strict-match"
    assert len({score.protocol_key for score in BenchmarkScore.objects.all()}) == 2
    assert BenchmarkScore.objects.ranked(current.benchmark).get() == current
    again = ingest_scores(sample("lm_eval_0_4.json"), quantization="FP8")
    assert again.outcome == "unchanged"
    assert BenchmarkScore.objects.count() == 2


def test_the_current_score_does_not_depend_on_the_order_of_the_file(db: None) -> None:
    data = json.loads(sample("lm_eval_0_4.json"))
    row = data["results"]["gsm8k"]
    data["results"]["gsm8k"] = dict(reversed(row.items()))
    ingest_scores(data, quantization="FP8")
    assert BenchmarkScore.objects.get(is_current=True).score == 80.54


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"config": {"limit": 2.0, "model": "hf", "model_args": ""}}, "limit 2"),
        ({"n-samples": {"gsm8k": {"original": 1319, "effective": 2}}}, "2 of 1319 questions"),
        ({"config": {"limit": "0.1"}}, "limit 0.1"),
    ],
)
def test_limited_runs_are_partial(db: None, changes: dict[str, Any], reason: str) -> None:
    data = new_file(gsm8k={"exact_match,strict-match": 1.0}) | changes
    report = ingest_scores(data, **MODEL)
    (item,) = report.scores
    score = BenchmarkScore.objects.get(pk=item.id)
    assert score.partial_reason == reason
    assert not score.is_current
    assert any(reason in warning.message for warning in report.warnings)


def test_tasks_that_ask_alike_keep_their_name_in_the_protocol() -> None:
    data = new_file(
        gsm8k={"exact_match,strict-match": 0.5}, gsm8k_cot={"exact_match,strict-match": 0.6}
    )
    plain, thoughts = scores(parse(data, FORMAT))["gsm8k"]
    assert plain.protocol.task_version == "1"
    assert thoughts.protocol.task_version == "gsm8k_cot 1"


def test_versions_that_are_none_are_looked_for_in_the_configuration() -> None:
    data = new_file(piqa={"acc,none": 0.8})
    data["versions"] = {"piqa": "Yaml"}
    assert only(parse(data, FORMAT), "piqa").protocol.task_version is None
    data["configs"] = {"piqa": {"metadata": [{"version": 1.0}]}}
    assert only(parse(data, FORMAT), "piqa").protocol.task_version == "1"


def test_a_list_of_shots_follows_the_versions() -> None:
    data = old_file(jnli={"acc": 0.3}, boolq={"acc": 0.6})
    data["config"]["num_fewshot"] = [3, 1]
    parsed = parse(data, FORMAT)
    assert only(parsed, "jnli").protocol.shots == 3
    assert only(parsed, "boolq").protocol.shots == 1
    data["versions"] = {"boolq": 0, "jnli": 0}  # sorted by name: not the order of the run
    assert only(parse(data, FORMAT), "jnli").protocol.shots is None


def test_a_forks_prompt_version_is_protocol() -> None:
    data = old_file(**{"jsquad-1.1-0.3": {"exact_match": 51.058, "f1": 0.7}})
    parsed = parse(data, FORMAT)
    exact = only(parsed, "jsquad")
    assert exact.stated_score == 51.058
    assert exact.protocol.task_version == "jsquad-1.1-0.3 0"
    assert only(parsed, "jsquad_f1").stated_score == 0.7  # SQuAD's script: percent
    assert parsed.warnings[0].path == "results.jsquad-1.1-0.3.exact_match"


@pytest.mark.parametrize(
    ("template", "system", "said"),
    [
        ("{{ messages }}", None, "yes"),
        (None, None, "no"),
        ("", None, None),
        (None, "Be brief.", "no, system instruction 0123456789abcdef"),
    ],
)
def test_whether_a_chat_template_was_used_is_protocol(
    template: str | None, system: str | None, said: str | None
) -> None:
    data = new_file(piqa={"acc,none": 0.8}) | {
        "chat_template": template,
        "system_instruction": system,
        "system_instruction_sha": "0123456789abcdef0123",
    }
    assert only(parse(data, FORMAT), "piqa").protocol.chat_template == said


def test_a_chat_endpoint_uses_a_template() -> None:
    data = new_file(piqa={"acc,none": 0.8}) | {"chat_template": ""}
    data["config"] = {
        "model": "local-chat-completions",
        "model_args": {"model": "acme/Nimbus", "enable_thinking": False, "kv_cache_dtype": "fp8"},
    }
    protocol = only(parse(data, FORMAT), "piqa").protocol
    assert (protocol.chat_template, protocol.thinking_mode, protocol.kv_cache_type) == (
        "yes",
        "off",
        "fp8",
    )


def test_low_shares_are_taken_as_they_are(db: None) -> None:
    """0.0011 of the answers is 0.11 %: nobody needs to confirm that."""
    ingest_scores(old_file(mathqa={"acc": 0.0011}))
    score = BenchmarkScore.objects.get()
    assert score.score == 0.11
    assert not score.needs_confirmation
    assert score.is_current


def test_unknown_metrics_keep_their_value_and_are_asked_about(db: None) -> None:
    ingest_scores(new_file(oddity={"loopiness,none": 0.4}))
    score = BenchmarkScore.objects.get()
    assert (score.score, score.benchmark.slug) == (0.4, "oddity_loopiness")
    assert score.needs_confirmation


def test_new_benchmarks_know_which_way_is_better(db: None) -> None:
    data = new_file(
        lambada_openai={"perplexity,none": 3.4, "acc,none": 0.73}, odd={"distance,none": 12.0}
    )
    data["higher_is_better"] = {"odd": {"distance": False}}
    ingest_scores(data)
    better = dict(Benchmark.objects.filter(is_generic=True).values_list("slug", "higher_is_better"))
    assert better == {
        "lambada_openai_perplexity": False,
        "lambada_openai": True,
        "odd_distance": False,
    }


def test_several_results_in_one_file_are_several_sets() -> None:
    first = new_file(piqa={"acc,none": 0.8})
    second = copy.deepcopy(first)
    second["config"]["model_args"] = "pretrained=acme/Stratus,dtype=bfloat16"
    lines = "\n".join(json.dumps(item) for item in (first, second))
    for data in (json.dumps([first, second]), lines):
        models = [item.model.model_name for item in parse(data, FORMAT).score_sets]
        assert models == ["acme/Nimbus", "acme/Stratus"]


def changed(*path: str, value: Any) -> dict[str, Any]:
    data = group("mmlu", {"mmlu_anatomy": 0.4})
    data["config"]["limit"] = None
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "place", "words"),
    [
        (("results", "mmlu", "acc,none"), "many", "results.mmlu.acc,none", "A number"),
        (("results", "mmlu", "acc,none"), True, "results.mmlu.acc,none", "A number"),
        (("results", "mmlu", "acc,none"), 1.3, "results.mmlu.acc,none", "between 0 and 1"),
        (("results", "mmlu", "acc,none"), -0.1, "results.mmlu.acc,none", "between 0 and 1"),
        (("results", "mmlu", "acc,none"), 10**200, "results.mmlu.acc,none", "too large"),
        (("results", "mmlu"), 0.5, "results.mmlu", "an object"),
        (("results",), {}, "results", "no figure"),
        (("versions",), None, "versions", "versions of the tasks are missing"),
        (("n-samples",), [], "n-samples", "An object"),
        (("n-samples", "mmlu_anatomy"), 3, "n-samples.mmlu_anatomy", "original and effective"),
        (
            ("n-samples", "mmlu_anatomy"),
            {"original": 10, "effective": 0.5},
            "n-samples.mmlu_anatomy.effective",
            "whole number",
        ),
        (("n-shot", "mmlu"), -1, "n-shot.mmlu", "whole number"),
        (("group_subtasks", "mmlu"), "all", "group_subtasks.mmlu", "list of tasks"),
        (("config", "model_args"), [1], "config.model_args", "key=value"),
        (("date",), 1e14, "date", "seconds since 1970"),
        (("date",), "yesterday", "date", "A number"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_place(
    path: tuple[str, ...], value: Any, place: str, words: str
) -> None:
    found = problems(changed(*path, value=value), FORMAT)
    assert (found[0].path, words in found[0].message) == (place, True), found
    if isinstance(value, str | float | bool):
        assert found[0].value == value


def test_only_tasks_that_nobody_knows_may_be_in_percent() -> None:
    (problem,) = problems(new_file(gsm8k={"exact_match,strict-match": 45.0}), FORMAT)
    assert problem.path == "results.gsm8k.exact_match,strict-match"
    assert "between 0 and 1" in problem.message


def test_results_by_prompt_are_refused_with_a_reason() -> None:
    data = old_file(boolq={"GPT-3 style": {"acc": 0.6, "prompt_name": "GPT-3 style"}})
    (problem,) = problems(data, FORMAT)
    assert problem.path == "results.boolq.GPT-3 style"
    assert "bigscience" in problem.message


def test_nan_is_left_out_with_a_warning() -> None:
    data = new_file(piqa={"acc,none": float("nan"), "acc_norm,none": 0.8})
    parsed = parse(data, FORMAT)
    assert set(scores(parsed)) == {"piqa_acc_norm"}
    assert parsed.warnings[0].path == "results.piqa.acc,none"


@pytest.mark.parametrize("key", ["config_general", "config_tasks"])
def test_files_of_lighteval_are_not_taken_for_ones_of_the_harness(db: None, key: str) -> None:
    data = new_file(piqa={"acc,none": 0.8}) | {key: {}}
    assert ingest_scores(data, **MODEL).format != FORMAT
