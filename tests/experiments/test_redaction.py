"""Secrets and home folders never reach the public."""

from typing import Any

import pytest
from django.test import Client

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


@pytest.mark.django_db
def test_no_public_answer_tells_secrets_or_homes(client: Client) -> None:
    sent = experiment(
        settings=SETTINGS,
        notes="See /home/alice/notes.md, token=SECRET",
        dataset_name="/home/alice/d.json",
    )
    report = ingest({"experiment_run": sent})
    assert report.accepted, report.summary
    run = TestRun.objects.get(pk=report.runs[0].id)
    assert run.settings["api_key"] == "SECRET"
    other = make_run(gpu_model="NVIDIA GeForce RTX 3090")
    detail, compare = f"/detail/{run.pk}/", f"/compare/?run={run.pk}&run={other.pk}"
    pages = {
        path: client.get(path).content.decode()
        for path in (detail, f"{detail}?format=csv", compare, f"{compare}&format=csv")
    }
    reads = (
        "/",
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
