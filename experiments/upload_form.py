"""The forms of an upload: files or pasted text, and what they do not say themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Model, QuerySet

from benchmarks.models import ModelVariant
from experiments.formats.documents import InvalidFileError
from experiments.ingest.context import CONTEXT_FIELDS, read_context
from hardware.models import Accelerator, HardwareProfile

DEVICE = "device:"  # what the value of a chosen device begins with
MODEL_FIELDS = ("model_name", "quantization", "lora_adapter")
HARDWARE_FIELDS = (
    "gpu_model",
    "gpu_count",
    "gpu_memory_gb",
    "cpu_model",
    "cpu_arch",
    "ram_gb",
    "ram_type",
    "virtualization_type",
)
RowT = TypeVar("RowT", bound=Model)


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
    return forms.CharField(required=False, label=label, help_text=help_text, widget=forms.TextInput)


def _search(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        required=False,
        label=label,
        help_text=help_text,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


def _number(label: str, help_text: str = "") -> forms.CharField:
    """Make a field for a number; the pipeline reads it, as it does for the API."""
    return forms.CharField(
        required=False,
        label=label,
        help_text=help_text,
        widget=forms.NumberInput(attrs={"step": "any", "min": "0"}),
    )


class ContextForm(forms.Form):
    """What an uploader states beside a file; the pipeline checks it, as it does for the API."""

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
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    source_url = forms.CharField(
        required=False,
        label="Source",
        help_text="Where these figures were published.",
        widget=forms.URLInput(),
    )

    fieldsets: ClassVar[list[tuple[str, Sequence[str]]]] = [
        ("Model", ("model_name", "quantization", "lora_adapter")),
        ("Backend", ("backend", "backend_version")),
        ("Hardware", HARDWARE_FIELDS),
        ("Load", ("concurrent_requests", "input_tokens", "output_tokens", "dataset_name")),
        ("Provenance", ("sweep", "notes", "source_url")),
    ]

    def clean(self) -> dict[str, Any]:
        """Check every context field."""
        data = super().clean() or {}
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

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the context fields by their headings."""
        return [(title, [self[name] for name in names]) for title, names in self.fieldsets]


class UploadForm(ContextForm):
    """Files to look at; the context goes for every one of them."""

    file = FilesField(
        required=False,
        allow_empty_file=True,
        label="Files",
        help_text="As your tool wrote them, or in a ZIP. Choose several or drop them here.",
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="Or paste the text of one",
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        """Check that there is something to look at."""
        data = super().clean()
        if not data.get("file") and not data.get("text", "").strip() and "file" not in self.errors:
            raise ValidationError("Choose a file, or paste the text of one.", code="nothing")
        return data

    def sent_files(self) -> Iterator[SentFile]:
        """Read one file after the other, no more of each than shows that it is too large."""
        for file in self.cleaned_data["file"]:
            data = file.read(settings.BENCHSITE_MAX_UPLOAD_BYTES + 1)
            yield SentFile(name=file.name or "", data=data)
        if self.cleaned_data["text"].strip():
            yield SentFile(name="", data=self.cleaned_data["text"].encode())


class ChoosingForm(ContextForm):
    """What is stated beside files, with a machine and a variant chosen among known ones."""

    find_machine = _search("Find a known machine", "As in “4090” or “EPYC 9754”.")
    machine = forms.CharField(required=False, widget=forms.RadioSelect)
    find_variant = _search("Find a known model", "As in “llama 8b Q4”.")
    variant = forms.UUIDField(required=False, widget=forms.RadioSelect)

    def clean(self) -> dict[str, Any]:
        """Put the chosen machine's and variant's names into the fields, then check them."""
        chosen = self.cleaned_data
        chosen |= _names_of_choice(chosen.get("machine", ""))
        if variant := _row(ModelVariant.objects.all(), chosen.get("variant")):
            chosen |= {name: getattr(variant, name) for name in MODEL_FIELDS}
        return super().clean()


class DraftForm(ChoosingForm):
    """What is stated beside one draft."""

    replace = forms.BooleanField(
        required=False,
        label="Replace what is here",
        help_text="Where a run is here with other content, or was withdrawn: take this one. The "
        "API calls it replace=true.",
    )


def _names_of_choice(choice: str) -> dict[str, str]:
    """Return the fields of a chosen machine, or the name of a chosen device of the catalogue."""
    if choice.startswith(DEVICE):
        number = choice.removeprefix(DEVICE)
        device = _row(
            Accelerator.objects.all(), number if number.isdecimal() and len(number) < 19 else None
        )
        return {"gpu_model": device.name} if device else {}
    machine = _row(HardwareProfile.objects.all(), _uuid(choice))
    return names_of_machine(machine) if machine else {}


def names_of_machine(machine: HardwareProfile) -> dict[str, str]:
    """Return the context fields that describe a known machine; unknown ones are empty."""
    values = {name: getattr(machine, name) for name in HARDWARE_FIELDS}
    if machine.gpu_model is None:
        values["gpu_model"] = "CPU Only"
    elif machine.gpu_form:
        values["gpu_model"] = f"{machine.gpu_model} {machine.gpu_form}"
    return {name: "" if value is None else f"{value}" for name, value in values.items()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _row(rows: QuerySet[RowT], pk: UUID | str | None) -> RowT | None:
    return rows.filter(pk=pk).first() if pk else None
