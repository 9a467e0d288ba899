"""One row of MLPerf inference results, the same whether JSON or CSV told of it.

Source: https://github.com/mlcommons/inference/tree/master/tools/submission
"""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from experiments.formats.numbers import first_whole, is_left_out

_MOST = 10**6
_LANGUAGE = re.compile(r"llama|gpt|mixtral|deepseek", re.IGNORECASE)
_TARGET = re.compile(r"-(99(?:\.9)?)$")
_INTERACTIVE = re.compile(r"-interactive\b")
_POWER_MODE = re.compile(r"(?<![a-z])max-?q(?![a-z])", re.IGNORECASE)
_EDITION = re.compile(r"-(edge|datacenter)$")
# Engines by name, those that run on others first; then the version that stands behind.
_ENGINE = (
    r"TensorRT[- ]LLM", "vLLM", "SGLang", "LMDeploy", "OpenVINO", r"ONNX ?Runtime",
    r"llama\.cpp", "MLC-LLM", "DeepSpeed-MII", "TensorRT",
)  # fmt: skip
_VERSION = r"(?![\w-])[ :=v]*(?P<version>\d[\w.+]*)?"
# Benchmarks whose result the checker takes from tokens a second, whatever unit it writes beside
# it: by version, "" for either scenario (RESULT_FIELD_BENCHMARK_OVERWRITE of the checker).
_TOKENS: dict[str, dict[str, str]] = {
    "v4.0": {"llama2-70b": "Offline"},
    "v4.1": {"llama2-70b": "", "gptj": "", "mixtral-8x7b": ""},
    "v5.0": {"llama2-70b": "", "gptj": "", "mixtral-8x7b": "", "llama3.1-405b": ""},
    "v5.1": {
        "llama2-70b": "", "llama3.1-8b": "", "mixtral-8x7b": "", "llama3.1-405b": "",
        "deepseek-r1": "",
    },
    "v6.0": {
        "llama2-70b": "", "llama3.1-8b": "", "mixtral-8x7b": "", "llama3.1-405b": "",
        "deepseek-r1": "", "gpt-oss-120b": "",
    },
}  # fmt: skip


def _text(value: Any) -> Any:
    """Return a cell as text, None where it says nothing."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return None if isinstance(value, str) and is_left_out(value) else value


def _whole(value: Any) -> int | None:
    """Return a whole number, also written as text; None where there is none, or a list of some."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        value = value.strip()
    return 0 if value in (0, "0") else first_whole({"": value}, "", most=_MOST)


Cell = Annotated[Annotated[str, Field(max_length=2000)] | None, BeforeValidator(_text)]
Whole = Annotated[int | None, BeforeValidator(_whole)]


class Row(BaseModel):
    """A result with its system; the figure is read where its unit is."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    submitter: Cell = Field(None, alias="Submitter")
    availability: Cell = Field(None, alias="Availability")
    division: Cell = Field(None, alias="Category")
    suite: Cell = Field(None, alias="Suite")
    system: Cell = Field(None, alias="System")
    platform: Cell = Field(None, alias="Platform")
    used_model: Cell = Field(None, alias="UsedModel")
    benchmark: Annotated[str, Field(max_length=200)] = Field(alias="Model")
    scenario: Annotated[str, Field(max_length=100)] = Field(alias="Scenario")
    accuracy: Cell = Field(None, alias="Accuracy")
    nodes: Whole = Field(None, alias="Nodes")
    processor: Cell = Field(None, alias="Processor")
    sockets: Whole = Field(None, alias="host_processors_per_node")
    accelerator: Cell = Field(None, alias="Accelerator")
    accelerators_per_node: Whole = Field(None, alias="a#")
    software: Cell = Field(None, alias="Software")
    operating_system: Cell = None
    notes: Cell = Field(None, alias="Notes")
    weights: Cell = Field(None, alias="weight_data_types")
    units: Cell = Field(None, alias="Performance_Units")
    power_units: Cell = Field(None, alias="Power_Units")
    errors: Whole = None
    compliance: Whole = None
    version: Cell = None
    inferred: Whole = None
    details: Cell = Field(None, alias="Details")

    @property
    def is_interactive(self) -> bool:
        """Whether the tighter limits apply; in v5.0 the benchmark's name alone says so."""
        return self.scenario == "Interactive" or bool(_INTERACTIVE.search(self.benchmark))

    @property
    def is_open(self) -> bool:
        """Whether other models, limits and data may have been used than the rules name."""
        return (self.division or "").lower() == "open"

    @property
    def accuracy_target(self) -> str | None:
        """How near to the reference the answers have to be, in percent, where the name says so."""
        found = _TARGET.search(self.benchmark)
        return found[1] if found else None

    @property
    def base_name(self) -> str:
        """The benchmark's name without target, limits and edition: "llama2-70b"."""
        return _EDITION.sub("", _INTERACTIVE.sub("", _TARGET.sub("", self.benchmark)))

    @property
    def model_name(self) -> str:
        """The benchmark's model; in the open division the one that was used instead of it."""
        used = self.used_model
        if not self.is_open or not used or _letters(used) == _letters(self.benchmark):
            return self.base_name
        return used

    @property
    def accelerators(self) -> int | None:
        """How many accelerators all nodes have together, None where one of both is not known."""
        if not self.accelerators_per_node:
            return self.accelerators_per_node
        return self.accelerators_per_node * self.nodes if self.nodes else None

    @property
    def power_mode(self) -> str | None:
        """The mode in which a system trades speed for power, None where its name says none."""
        found = _POWER_MODE.search(f"{self.system} {self.platform}")
        return "MaxQ" if found else None

    @property
    def counts_tokens(self) -> bool:
        """Whether the checker takes this result from tokens a second."""
        known = _TOKENS.get(self.version or "", {}).get(self.base_name)
        scenario = "Offline" if self.scenario == "Offline" else "Server"
        return known in ("", scenario) and self.scenario in ("Offline", "Server", "Interactive")

    @property
    def engine(self) -> tuple[str | None, str | None]:
        """The inference engine and its version, None where the software names none."""
        for name in _ENGINE:
            pattern = rf"(?<![\w-])(?P<name>{name}){_VERSION}"
            if found := re.search(pattern, self.software or "", re.IGNORECASE):
                return found["name"], found["version"]
        return None, None


def _letters(name: str) -> str:
    """Return what is left of a name where spellings differ: "llama3_1-8b" is "llama3.1-8b"."""
    return "".join(character for character in name.casefold() if character.isalnum())


def is_language_model(benchmark: Any) -> bool:
    """Tell whether a benchmark of this name measures a language model."""
    return isinstance(benchmark, str) and bool(_LANGUAGE.search(benchmark))
