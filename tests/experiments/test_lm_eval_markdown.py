"""lm-evaluation-harness's console table: labels, groups, several models, malformed rows."""

import pytest

from tests.experiments.scores import only, parse, problems, sample, scores

FORMAT = "lm-eval-markdown"
HEADER = """\
|Tasks|Version|Filter|n-shot|Metric|   |Value |   |Stderr|
|---|--:|---|--:|---|---|--:|---|--:|
"""
MMLU = """\
|mmlu              |      2|none|      |acc|↑  |0.6000|±  |0.0040|
| - humanities     |      2|none|      |acc|↑  |0.5500|±  |0.0070|
|  - formal_logic  |      1|none|     5|acc|↑  |0.4000|±  |0.0438|
| - other          |      2|none|      |acc|↑  |0.6500|±  |0.0080|
|  - virology      |      1|none|     5|acc|↑  |0.5000|±  |0.0389|
| - social sciences|      2|none|      |acc|↑  |0.7000|±  |0.0080|
|  - sociology     |      1|none|     5|acc|↑  |0.8000|±  |0.0282|
| - stem           |      2|none|      |acc|↑  |0.5000|±  |0.0090|
|  - anatomy       |      1|none|     5|acc|↑  |0.5500|±  |0.0430|
"""


def test_the_table_as_printed() -> None:
    parsed = parse(sample("lm_eval_table.md"), FORMAT)
    loose, strict = scores(parsed)["gsm8k"]
    assert (strict.stated_score, strict.stderr) == (80.54, 1.09)
    assert loose.protocol.metric_filter == "exact_match,flexible-extract"
    assert strict.protocol.metric_filter == "exact_match,strict-match"
    assert (strict.protocol.task_version, strict.protocol.shots) == ("3", 5)
    assert strict.path == "line 5"
    assert strict.complete
    model = parsed.score_sets[0].model
    assert (model.model_name, model.quantization) == ("acme-labs/Nimbus-14B-Instruct", None)


def test_labels_are_categories_of_the_group_above_them() -> None:
    rows = [line for line in MMLU.splitlines(keepends=True) if not line.startswith("|  -")]
    groups = HEADER.replace("Tasks", "Groups") + "".join(rows)
    parsed = parse(f"{HEADER}{MMLU}\n{groups}", FORMAT)
    score = only(parsed, "mmlu")
    assert score.stated_score == 60.0
    assert score.protocol.shots == 5
    assert score.protocol.task_version == "1"
    assert {item.category: item.score for item in score.categories} == {
        "humanities": 55.0,
        "formal_logic": 40.0,
        "other": 65.0,
        "virology": 50.0,
        "social_sciences": 70.0,
        "sociology": 80.0,
        "stem": 50.0,
        "anatomy": 55.0,
    }


def test_numpy_numbers_and_aliases_in_rows_of_their_own() -> None:
    text = """\
|  Task   |Version|Filter|Metric|Value|   |Stderr|
|---------|-------|------|------|-----|---|------|
|mmlu     |N/A    |none  |acc   |0.574|±  |np.float64(0.1287999)|
|         |       |      |alias |mmlu |   |      |
|mmlu_stem|N/A    |      |alias | - stem|   |      |
|         |       |none  |acc   |0.476|±  |np.float64(0.0994)|
|mmlu_anatomy|   0|      |alias |  - anatomy|   |      |
|         |       |none  |acc   |0.614|±  |0.0420|
"""
    score = only(parse(text, FORMAT), "mmlu")
    assert (score.stated_score, score.stderr) == (57.4, 12.87999)
    assert [item.category for item in score.categories] == ["stem", "anatomy"]
    assert score.protocol.task_version == "0"


def test_a_part_with_a_known_benchmarks_name_is_none() -> None:
    rows = """\
|mmlu_pro |      2|custom-extract|      |exact_match|↑  |0.6000|±  |0.0040|
| - math  |      2|custom-extract|     5|exact_match|↑  |0.5500|±  |0.0070|
"""
    score = only(parse(HEADER + rows, FORMAT), "mmlu_pro")
    assert [item.category for item in score.categories] == ["math"]
    alone = "|math|2|custom-extract|5|exact_match|↑|0.5500|±|0.0070|\n"
    assert set(scores(parse(HEADER + alone, FORMAT))) == {"mmlu_pro"}
    alone = "|anatomy|1|none|5|acc|↑|0.5500|±|0.0070|\n"
    assert set(scores(parse(HEADER + alone, FORMAT))) == {"mmlu"}


def test_each_invocation_has_its_model() -> None:
    text = "".join(
        f"hf ({{'pretrained': 'acme/{name}', 'dtype': 'bfloat16'}}), gen_kwargs: ({{}}), "
        f"limit: {limit}, num_fewshot: None, batch_size: 8\n{HEADER}"
        f"|piqa|1|none|0|acc|↑|{value}|±|0.0102|\n\n"
        for name, limit, value in (("Nimbus", "None", 0.7), ("Stratus", "100.0", 0.8))
    )
    first, second = parse(text, FORMAT).score_sets
    assert (first.model.model_name, first.scores[0].stated_score) == ("acme/Nimbus", 70.0)
    assert (second.model.model_name, second.scores[0].stated_score) == ("acme/Stratus", 80.0)
    assert (first.scores[0].complete, second.scores[0].complete) == (True, False)
    assert second.scores[0].partial_reason == "limit 100.0"
    assert second.path == "line 6"


def test_the_table_of_version_0_3_has_no_filter() -> None:
    text = """\
hf (pretrained=a/b), limit: None, provide_description: False, num_fewshot: 5, batch_size: None
|  Task  |Version| Metric |Value |   |Stderr|
|--------|------:|--------|-----:|---|-----:|
|arc_easy|      0|acc     |0.6432|±  |0.0098|
|        |       |acc_norm|0.6326|±  |0.0099|
"""
    parsed = parse(text, FORMAT)
    assert only(parsed, "arc_easy").protocol.metric_filter == "acc"
    assert only(parsed, "arc_easy").protocol.shots == 5
    assert only(parsed, "arc_easy_acc_norm").stated_score == 63.26


ROW = "|piqa|1|none|0|acc|↑|0.8|±|0.01|\n"


@pytest.mark.parametrize(
    ("rows", "place", "words"),
    [
        ("", "", "header and no row"),
        (ROW.replace("0.8", "many"), "line 3", "A number is expected under Value"),
        (ROW.replace("0.01", "?"), "line 3", "A number is expected under Stderr"),
        (ROW.replace("0.8", "1.8"), "line 3", "between 0 and 1"),
        ("|piqa|1|none|\n", "line 3", "The row has 3 cells"),
        (ROW.replace("piqa", " "), "line 3", "belongs to no task"),
        (ROW + ROW.replace("0.8", "0.7"), "line 4", "one by one"),
        (ROW.replace("0.8", ""), "results", "no figure"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_line(rows: str, place: str, words: str) -> None:
    (problem,) = problems(HEADER + rows, FORMAT)
    assert problem.path == place
    assert words in problem.message


def test_long_lines_cost_no_time() -> None:
    parsed = parse("a (" * 200_000 + "\n" * 200_000 + HEADER + ROW, FORMAT)
    assert only(parsed, "piqa").stated_score == 80.0
