"""The admin's upload form: files or pasted text, and what they do not say themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from experiments.formats.documents import InvalidFileError
from experiments.ingest.context import CONTEXT_FIELDS, read_context

_TEXT = forms.TextInput(attrs={"class": "vTextField"})
_NUMBER = forms.NumberInput(attrs={"step": "any", "min": "0", "class": "vTextField"})


class _FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files; empty ones are for the pipeline to judge."""

    widget = _FilesInput

    def clean(self, data: Any, initial: Any = None) -> list["UploadedFile[bytes]"]:
        """Return the files that were sent."""
        clean_one = super().clean
        return [clean_one(item, initial) for item in data or []]


@dataclass(frozen=True)
class SentFile:
    """One file of the form as the pipeline takes it; pasted text has no name."""

    name: str
    data: bytes


def _text(label: str, help_text: str = "") -> forms.CharField:
    return forms.CharField(required=False, label=label, help_text=help_text, widget=_TEXT)


def _number(label: str, help_text: str = "") -> forms.CharField:
    """Make a field for a number; the pipeline reads it, as it does for the API."""
    return forms.CharField(required=False, label=label, help_text=help_text, widget=_NUMBER)


class UploadForm(forms.Form):
    """Result files with their context; the context goes for every file that is sent along."""

    file = FilesField(
        required=False,
        allow_empty_file=True,
        label="Files",
        help_text="As your tool wrote them; several may be chosen, each is taken or refused alone.",
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="Or pasted text",
        help_text="The whole content of one file.",
        widget=forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField", "spellcheck": "false"}),
    )
    dry_run = forms.BooleanField(
        required=False, label="Only check", help_text="Say what would happen; write nothing."
    )
    replace = forms.BooleanField(
        required=False,
        label="Replace",
        help_text="Where a run is here with other content, or was withdrawn: take this one.",
    )

    model_name = _text("Model", "Its name or repository, as in “meta-llama/Llama-3.1-8B-Instruct”.")
    quantization = _text("Quantization", "As in Q4_K_M, FP8, AWQ, BF16.")
    lora_adapter = _text("LoRA adapter", "Empty for the base model.")
    backend = _text("Backend", "What ran the model: llama.cpp, vLLM, SGLang, Ollama …")
    backend_version = _text("Backend version", "A release, build number or commit.")
    gpu_model = _text(
        "GPU", "vLLM and SGLang files do not name it. “CPU Only” where none was used."
    )
    gpu_count = _number("GPUs used")
    gpu_memory_gb = _number("Memory of each GPU (GB)")
    cpu_model = _text("CPU")
    cpu_arch = _text("CPU architecture", "As in zen4, x86_64, arm64.")
    ram_gb = _number("RAM (GB)")
    ram_type = _text("RAM type", "As in DDR5, LPDDR5X.")
    virtualization_type = _text("Virtualization", "As in none, docker, kvm.")
    concurrent_requests = _number(
        "Concurrent requests", "How many were served at once; measured figures are never changed."
    )
    input_tokens = _number("Input tokens", "Mean of a request, where the file does not say.")
    output_tokens = _number("Output tokens", "Mean of a request, where the file does not say.")
    dataset_name = _text("Dataset", "As in ShareGPT, random.")
    sweep = _text("Sweep", "One label for files of one series, which then is one curve.")
    notes = forms.CharField(
        required=False,
        label="Notes",
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
    )
    source_url = forms.CharField(
        required=False,
        label="Source",
        help_text="Where these figures were published.",
        widget=forms.URLInput(attrs={"class": "vURLField"}),
    )

    fieldsets: ClassVar[list[tuple[str | None, dict[str, Any]]]] = [
        (None, {"fields": ("file", "text", "dry_run", "replace")}),
        (
            "Model",
            {
                "fields": ("model_name", "quantization", "lora_adapter"),
                "description": "All fields from here on may stay empty where the file says it. "
                "Names given here take precedence over those in the file.",
            },
        ),
        ("Backend", {"fields": ("backend", "backend_version")}),
        (
            "Hardware",
            {
                "fields": (
                    "gpu_model",
                    "gpu_count",
                    "gpu_memory_gb",
                    "cpu_model",
                    "cpu_arch",
                    "ram_gb",
                    "ram_type",
                    "virtualization_type",
                )
            },
        ),
        (
            "Load",
            {"fields": ("concurrent_requests", "input_tokens", "output_tokens", "dataset_name")},
        ),
        ("Provenance", {"fields": ("sweep", "notes", "source_url")}),
    ]

    def __init__(self, *args: Any, may_replace: bool, **kwargs: Any) -> None:
        """Offer to replace to those who may."""
        super().__init__(*args, **kwargs)
        self.fields["replace"].disabled = not may_replace

    def clean(self) -> dict[str, Any]:
        """Check that there is something to upload, and every context field."""
        data = super().clean() or {}
        if not data.get("file") and not data.get("text", "").strip() and "file" not in self.errors:
            raise ValidationError("Choose a file, or paste the text of one.", code="nothing")
        try:
            read_context(self.context())
        except InvalidFileError as error:
            for problem in error.problems:
                name = problem.path.removeprefix("context.")
                self.add_error(name if name in self.fields else None, problem.message)
        return data

    def context(self) -> dict[str, str]:
        """Return the context fields that were filled in."""
        return {
            name: value for name in CONTEXT_FIELDS if (value := self.cleaned_data.get(name, ""))
        }

    def sent_files(self) -> Iterator[SentFile]:
        """Read one file after the other, no more of each than shows that it is too large."""
        for file in self.cleaned_data["file"]:
            data = file.read(settings.BENCHSITE_MAX_UPLOAD_BYTES + 1)
            yield SentFile(name=file.name or "", data=data)
        if self.cleaned_data["text"].strip():
            yield SentFile(name="", data=self.cleaned_data["text"].encode())

    def ask_for(self, names: Sequence[str], file_name: str) -> None:
        """Mark the fields that a refused file needs."""
        for name in names:
            self.add_error(name, f"{file_name} does not say it, and needs it.")
