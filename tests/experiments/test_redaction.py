"""Secrets and home folders never reach the public."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from experiments.formats.content import Content
from experiments.formats.rendition import public_documents
from experiments.models import TestRun
from experiments.redaction import redact, redact_text
from tests.factories import experiment, ingest, make_run

SETTINGS = {
    "api_key": "SECRET",
    "env": {"HF_TOKEN": "SECRET", "HOME": "/home/alice"},
    "cli_command": "vllm serve /home/alice/x.gguf --api-key SECRET --port 80",
    "tensor_buft_overrides": "/home/alice/x=CPU",
    "log_path": r"C:\Users\alice\logs\run.log",
    "args": ["--api-key", "SECRET", "-m", "/Users/alice/m/x.gguf"],
}


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("api_key", "X", "hidden"),
        ("apiKey", "X", "hidden"),
        ("--private-key", "X", "hidden"),
        ("HF_TOKEN", "X", "hidden"),
        ("password", 1234, "hidden"),
        ("credentials", {"user": "X"}, "hidden"),
        ("secrets", ["X"], "hidden"),
        ("api_key", "", ""),
        ("token", None, None),
        ("max_tokens", 512, 512),
        ("time_per_token", 12.5, 12.5),
        ("tokenizer", "llama", "llama"),
        ("cache_key", "x", "x"),
        ("args", ["--api-key", "X", "-ngl", "99"], ["--api-key", "hidden", "-ngl", "99"]),
        ("env", {"A": {"HF_TOKEN": "X"}}, {"A": {"HF_TOKEN": "hidden"}}),
        ("flash_attn", True, True),
        ("env", [{"name": "HF_TOKEN", "value": "X"}], [{"name": "HF_TOKEN", "value": "hidden"}]),
        ("env", {"key": "max_tokens", "value": 5}, {"key": "max_tokens", "value": 5}),
        ("warning", {"path": "a.api_key", "value": "X"}, {"path": "a.api_key", "value": "hidden"}),
        ("admin_api_key", "X", "hidden"),
        ("ssl_keyfile", "/etc/x.pem", "hidden"),
        ("server_info.ssl_certfile", "/etc/x.pem", "hidden"),
        ("host", "10.0.0.5", "hidden"),
        ("server_info.host", "gpu-box", "hidden"),
        ("host", 0, 0),
        ("extra_headers", {"X-Team": "X"}, "hidden"),
        ("generated_texts", ["X"], "hidden"),
        ("prompt", "X", "hidden"),
        ("prompts", 12, 12),
        ("num_prompts", 12, 12),
        ("args", ["-k", "aB3aB3aB3aB3aB3aB3aB3"], ["-k", "hidden"]),
        ("args", ["-u", "me:X"], ["-u", "hidden"]),
        ("args", ["-m", "Qwen3-30B-A3B-Instruct"], ["-m", "Qwen3-30B-A3B-Instruct"]),
    ],
)
def test_secrets_are_hidden_by_name(name: str, value: Any, shown: Any) -> None:
    assert redact({name: value}) == {name: shown}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("serve --api-key X --port 80", "serve --api-key hidden --port 80"),
        ("serve --api-key=X --port 80", "serve --api-key=hidden --port 80"),
        ("HF_TOKEN=X vllm", "HF_TOKEN=hidden vllm"),
        ("Authorization: Bearer X-1", "Authorization: hidden"),
        ("-H 'bearer X'", "-H 'bearer hidden'"),
        ('{"api_key": "X", "n": 1}', '{"api_key": "hidden", "n": 1}'),
        ("https://host/a?token=X&b=1", "https://host/a?token=hidden&b=1"),
        ("https://me:X@host/a", "https://hidden@host/a"),
        ("curl -u me:X host", "curl -u hidden host"),
        ("tool -k aB3aB3aB3aB3aB3aB3aB3 -n 1", "tool -k hidden -n 1"),
        ("run -m Qwen3-30B-A3B-Instruct-2507 -p 512", "run -m Qwen3-30B-A3B-Instruct-2507 -p 512"),
        (f"see hf_{'aB3' * 11}x here", "see hidden here"),
        (f"sk-proj-{'aB3' * 9}", "hidden"),
        ("hf_Meta-Llama-3-8B-Instruct", "hf_Meta-Llama-3-8B-Instruct"),
        ("https://host/model?access_token=X", "https://host/model?access_token=hidden"),
        ("512 input tokens, token: 3", "512 input tokens, token: 3"),
        ("/home/alice/x=CPU", "x=CPU"),
        ("-v /home/alice/data:/models", "-v data:/models"),
        ("/mnt/c/Users/alice/x.gguf", "x.gguf"),
        (r"C:\Users\Alice B\m\x.gguf", "x.gguf"),
        ("file:///home/alice/x.json", "x.json"),
        ("/root/models/x.gguf", "x.gguf"),
        ("/home/alice", "hidden"),
        ("/opt/models/x.gguf and 3/4 and a/home/b", "/opt/models/x.gguf and 3/4 and a/home/b"),
        ("https://host/home/a/b", "https://host/home/a/b"),
    ],
)
def test_texts_lose_secrets_and_home_folders(text: str, shown: str) -> None:
    assert redact_text(text) == shown
    assert redact_text(shown) == shown


@pytest.mark.parametrize("text", ["a" * 100_000, "-" * 100_000, "/" * 100_000, " " * 100_000])
def test_long_texts_are_read_in_linear_time(text: str) -> None:
    assert redact_text(text) == text


SECRET = "Zq7secret"
NAMES = st.sampled_from(
    ["api_key", "HF_TOKEN", "password", "admin_api_key", "client-secret", "Authorization"]
)
HOLDERS = st.one_of(
    NAMES.map(lambda name: {name: SECRET}),
    NAMES.map(lambda name: {name: {"inner": SECRET}}),
    NAMES.map(lambda name: {name: [SECRET, 1]}),
    NAMES.map(lambda name: {"name": name, "value": SECRET}),
    NAMES.map(lambda name: {"value": SECRET, "key": name}),
    NAMES.map(lambda name: f"serve --{name} {SECRET} --port 80"),
    NAMES.map(lambda name: f"{name}={SECRET}"),
    NAMES.map(lambda name: f'{{"{name}": "{SECRET}"}}'),
    NAMES.map(lambda name: ["serve", f"--{name}", SECRET]),
    st.just(f"https://me:{SECRET}@host/x"),
    st.just(f"Bearer {SECRET}"),
    st.just({"host": SECRET}),
    st.just({"extra_headers": {"X-Team": SECRET}}),
    st.just(f"/home/{SECRET}/x.gguf"),
    st.just({"ssl_keyfile": f"/etc/{SECRET}.pem"}),
    st.just({"generated_texts": [SECRET]}),
)
# What JSON files may hold: the site refuses NUL and halves of surrogate pairs.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
PLAIN = TEXTS | st.integers() | st.floats(allow_nan=False) | st.none()
DOCUMENTS = st.recursive(
    HOLDERS,
    lambda inner: st.one_of(
        st.lists(inner | PLAIN, max_size=3),
        st.dictionaries(st.sampled_from(["a", "settings", "config", "0"]), inner | PLAIN),
    ),
    max_leaves=8,
)


@given(DOCUMENTS)
def test_no_secret_is_left_wherever_it_stands(document: Any) -> None:
    shown = redact(document)
    assert SECRET not in json.dumps(shown)
    assert redact(shown) == shown
    (public,) = public_documents(Content(text=json.dumps(document), file_name=""))
    assert SECRET not in json.dumps(public)


@given(st.text() | st.lists(st.text()))
def test_any_text_is_redacted_once_and_for_all(value: Any) -> None:
    assert redact(redact(value)) == redact(value)


@pytest.mark.django_db
def test_no_public_answer_tells_secrets_or_homes(client: Client) -> None:
    sent = experiment(
        settings=SETTINGS,
        notes="See /home/alice/notes.md, token=SECRET",
        dataset_name="/home/alice/d.json",
        source_url="https://example.org/run?token=SECRET",
        model_name="/home/alice/models/Nimbus-14B?api_key=SECRET",
        lora_adapter="/home/alice/adapters/tuned",
        sweep="by /home/alice",
    )
    report = ingest({"experiment_run": sent})
    assert report.accepted, report.summary
    run = TestRun.objects.get(pk=report.runs[0].id)
    assert run.settings["api_key"] == "SECRET"
    assert (run.variant.model_name, run.variant.lora_adapter) == (
        "Nimbus-14B?api_key=hidden",
        "tuned",
    )
    assert "alice" not in run.configuration.workload_key
    (warning,) = [item for item in report.warnings if "secrets or personal" in item.message]
    assert warning.value == "dataset_name, lora_adapter, model_name, sweep"
    other = make_run(gpu_model="NVIDIA GeForce RTX 3090")
    detail, compare = f"/detail/{run.pk}/", f"/compare/?run={run.pk}&run={other.pk}"
    pages = {
        path: client.get(path).content.decode()
        for path in (detail, f"{detail}?format=csv", compare, f"{compare}&format=csv")
    }
    reads = (
        "/",
        "/?q=nimbus&load_kind=unknown",
        "/api/performance-grid",
        "/api/runs",
        f"/api/uploads/{report.upload_id}/rendition",
        "/api/grouped-performance",
        f"/api/detail/{run.pk}",
        f"/api/comparison?run={run.pk}&run={other.pk}",
    )
    pages |= {path: client.get(path).content.decode() for path in reads}
    for path, text in pages.items():
        assert "SECRET" not in text, path
        assert "alice" not in text, path
    assert "hidden" in pages[detail]
    assert "notes.md" in pages[detail]
    assert "hidden" in pages[compare]
