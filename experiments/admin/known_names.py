"""Known machines and model variants, found by words while somebody fills in a preview."""

import re
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render

from experiments import known
from experiments.admin.batch_actions import SHARED_PREFIX
from experiments.upload_form import DEVICE
from hardware.models import Accelerator, HardwareProfile

SHOWN = 8
TEMPLATE = "admin/experiments/upload/_known.html"
_PREFIX = re.compile(r"f[0-9a-f]{32}|" + SHARED_PREFIX)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A row to choose, and what tells it from others."""

    value: str
    name: str
    details: str


def known_machines(words: str) -> list[Choice]:
    """Return machines that match every word, then devices of the catalogue; none for no word."""
    machines = known.known_machines().search(words).select_related("platform")[:SHOWN]
    devices = Accelerator.objects.search(words)[: SHOWN // 2]
    choices = [
        Choice(value=str(machine.pk), name=machine.platform.name, details=_details(machine))
        for machine in machines
    ]
    return choices + [
        Choice(
            value=f"{DEVICE}{device.pk}",
            name=device.name,
            details=f"a device of the catalogue, {device.get_category_display()}",
        )
        for device in devices
    ]


def known_variants(words: str) -> list[Choice]:
    """Return model variants that match every word; none for no word."""
    found = known.known_variants().search(words)[:SHOWN]
    return [Choice(value=str(variant.pk), name=str(variant), details="") for variant in found]


def find_known(request: HttpRequest, kind: str) -> HttpResponse:
    """Answer the radio buttons for what is typed into a preview's search field, as a fragment."""
    prefix = request.GET.get("prefix", "")
    if kind not in ("machine", "variant") or not _PREFIX.fullmatch(prefix):
        return HttpResponseBadRequest("This address is for the search fields of a preview.")
    words = request.GET.get(f"{prefix}-find_{kind}", "")
    choices = known_machines(words) if kind == "machine" else known_variants(words)
    context = {"choices": choices, "name": f"{prefix}-{kind}", "words": words}
    return render(request, TEMPLATE, context)


def _details(machine: HardwareProfile) -> str:
    parts = (
        f"{machine.gpu_memory_gb:g} GB a GPU" if machine.gpu_memory_gb else None,
        machine.cpu_model if machine.gpu_model else None,
        f"{machine.ram_gb:g} GB {machine.ram_type or 'RAM'}" if machine.ram_gb else None,
        machine.virtualization_type,
        machine.label,
    )
    return ", ".join(part for part in parts if part)
