"""Quantization names: one canonical spelling for the many in use, with bits per weight.

Names are normalised, not whitelisted: what `data/quantizations.toml` does not know is kept as it
was written and marked unknown, so that a new format needs no release.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

DATA_FILE = Path(__file__).parent / "data" / "quantizations.toml"

_SEPARATORS = re.compile(r"[\s_.:\-]+")
_FILE_MARK = re.compile(r"^gguf[\s_.\-]+|[\s_.\-]+gguf$")
_FILE_TYPE_PREFIX = re.compile(r"^(?:\(guessed\)\s*)?(?:mostly\s+)?")
_FILE_TYPE_BITS = re.compile(r"\s+-\s+[0-9.]+\s*bpw(?:\s+ternary)?$")
_SIZE_WORD = re.compile(r"(?<=k)[\s_\-]+(small|medium|large)$")
_SHARD = re.compile(r"-[0-9]{5}-of-[0-9]{5}$")


@dataclass(frozen=True, kw_only=True)
class Quantization:
    """A quantization as reported, its canonical name, and its average bits per weight."""

    reported: str
    name: str
    bits_per_weight: float | None
    known: bool


@dataclass(frozen=True)
class _Format:
    name: str
    bits_per_weight: float | None


@dataclass(frozen=True)
class _Prefix:
    spelling: str
    name: str
    keeps_bits: bool


@dataclass(frozen=True)
class _Family:
    """Formats whose name carries a number, such as the bits per weight of EXL2."""

    pattern: re.Pattern[str]
    name: str
    bits: float | str | None
    overhead_bits: float

    def match(self, text: str) -> _Format | None:
        """Return the format that `text` spells, None when it is not of this family."""
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        groups = found.groupdict()
        if self.bits is not None:
            bits = None if isinstance(self.bits, str) else self.bits
        else:
            bits = float(groups["bits"]) + self.overhead_bits
        if "bits" in groups:
            groups["bits"] = f"{float(groups['bits']):g}"
        return _Format(self.name.format(**{k: v.upper() for k, v in groups.items()}), bits)


@dataclass(frozen=True)
class _Formats:
    by_key: Mapping[str, _Format]
    prefixes: tuple[_Prefix, ...]
    families: tuple[_Family, ...]

    @classmethod
    def from_toml(cls, data: dict[str, Any]) -> Self:
        """Build the lookup tables from the parsed data file."""
        formats = [_Format(name, bits) for name, bits in data["bits_per_weight"].items()]
        formats += [_Format(name, None) for name in data["bits_unknown"]["names"]]
        by_key = {_key(item.name): item for item in formats}
        for spelling, name in data["spellings"].items():
            by_key[_key(spelling)] = by_key[_key(name)]
        families = (
            _Family(
                re.compile(row["pattern"]),
                row["name"],
                row.get("bits"),
                row.get("overhead_bits", 0.0),
            )
            for row in data["families"]
        )
        prefixes = tuple(_Prefix(**row) for row in data["prefixes"])
        return cls(by_key, prefixes, tuple(families))

    def find(self, text: str) -> _Format | None:
        """Return the format that a bare spelling means, None when it is unknown."""
        found = self._find_plain(text)
        if found is not None:
            return found
        for prefix in self.prefixes:
            rest = re.sub(rf"^{prefix.spelling}[\s_.:\-]+", "", text)
            base = self._find_plain(rest) if rest != text else None
            if base is not None:
                bits = base.bits_per_weight if prefix.keeps_bits else None
                return _Format(prefix.name + base.name, bits)
        return None

    def _find_plain(self, text: str) -> _Format | None:
        return self.by_key.get(_key(text)) or self._find_in_families(text)

    def _find_in_families(self, text: str) -> _Format | None:
        dashed = re.sub(r"[\s_:\-]+", "-", text)
        matches = (family.match(dashed) for family in self.families)
        return next((found for found in matches if found is not None), None)


@cache
def _formats() -> _Formats:
    return _Formats.from_toml(tomllib.loads(DATA_FILE.read_text(encoding="utf-8")))


def _key(spelling: str) -> str:
    return _SEPARATORS.sub("", spelling.casefold())


def tidy_name(raw: str) -> str:
    """Return `raw` without unprintable characters and with single spaces."""
    if raw.isprintable():
        return " ".join(raw.split())
    return " ".join("".join(c if c.isprintable() else " " for c in raw).split())


def _bare(tidied: str) -> str:
    """Remove what tools write around a format's name: file marks, "mostly", "- 4.5 bpw"."""
    text = _FILE_MARK.sub("", tidied.casefold())
    text = _FILE_TYPE_PREFIX.sub("", text)
    text = _FILE_TYPE_BITS.sub("", text)
    return _SIZE_WORD.sub(lambda word: "_" + word[1][0], text)


def resolve_quantization(raw: str) -> Quantization:
    """Return the canonical form of a quantization name; an unknown one comes back tidied.

    Idempotent: resolving a canonical name gives that name. `bits_per_weight` is the average that
    the format's makers publish, None where the name does not tell it.
    """
    tidied = tidy_name(raw)
    found = _formats().find(_bare(tidied))
    if found is None:
        return Quantization(reported=raw, name=tidied, bits_per_weight=None, known=False)
    return Quantization(
        reported=raw, name=found.name, bits_per_weight=found.bits_per_weight, known=True
    )


def _split_points(text: str, separators: str) -> Iterator[tuple[str, str]]:
    """Yield (head, tail) for each separator, the longest tail first; neither part is empty."""
    for index, character in enumerate(text):
        if character in separators and text[:index].strip(separators) and text[index + 1 :]:
            yield text[:index].rstrip(separators), text[index + 1 :]


def split_model_file_name(file_name: str) -> tuple[str, str | None]:
    """Split a model's path or name into model name and canonical quantization.

    "C:\\\\models\\\\Llama-3.2-1B-Instruct-Q4_K_M.gguf" gives ("Llama-3.2-1B-Instruct", "Q4_K_M");
    a name that ends in no known format gives (name, None). Folders, the `.gguf` extension and the
    shard number (`-00001-of-00003`) are dropped.
    """
    base_name = tidy_name(re.split(r"[/\\]", file_name.strip().rstrip("/\\"))[-1])
    base_name = re.sub(r"\.gguf$", "", base_name, flags=re.IGNORECASE)
    base_name = _SHARD.sub("", base_name)
    for model_name, suffix in _split_points(base_name, "-."):
        quantization = resolve_quantization(suffix)
        if quantization.known:
            return model_name, quantization.name
    return base_name, None


def quantization_of_model_type(model_type: str) -> str | None:
    """Return the quantization at the end of llama-bench's `model_type`, None when none is known.

    "qwen35moe 35B.A3B Q4_K - Medium" gives "Q4_K_M".
    """
    for _, tail in _split_points(tidy_name(model_type), " "):
        quantization = resolve_quantization(tail)
        if quantization.known:
            return quantization.name
    return None
