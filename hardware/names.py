"""How devices are named: rules that read what tools report, without tables of devices."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MIXED_SEPARATOR = " + "

_BLANK = re.compile(r"[\s\x00-\x1f\x7f\ud800-\udfff]+")  # with what a database cannot hold
_TRADE_MARKS = re.compile(r"[®™©]|\((?:r|tm|c)\)", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+|\d+|\+")
_SYNONYMS = {"mobile": "laptop", "notebook": "laptop", "maxq": "max q"}
_MAKERS = frozenset({"nvidia", "amd", "ati", "intel", "apple", "google", "huawei", "aws", "amazon"})
_BRANDS = frozenset({"geforce", "tesla", "radeon", "instinct", "habana", "corporation", "inc"})
_KINDS = frozenset({"graphics", "gpu", "card", "accelerator", "generation", "edition"})
# Never tell which device it is. "Laptop" is not among them: a laptop GPU is another chip than the
# card of the same number.
_UNTELLING_WORDS = _MAKERS | _BRANDS | _KINDS
_DRIVER_PARENTHESES = re.compile(
    r"\s*\([^()]*\b(?:radv|nvk|nvidia|amdvlk|amd|intel|anv|mesa|radeonsi|llvm|moltenvk)\b[^()]*\)",
    re.IGNORECASE,
)
# Not the "1g.10gb" of a MIG slice: that is a part of a device, and stays in its name.
_MEMORY = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)(?:\s?(?:gb|gib)|g)(?![\w.])(?:[\s-]*(?:hbm|gddr|lpddr)\d\w?\b)?",
    re.IGNORECASE,
)
_MEMORY_TYPE = re.compile(r"(?<!\w)(?:hbm|gddr|lpddr)\d\w?(?!\w)", re.IGNORECASE)
_FORM = re.compile(r"(?<!\w)(?:pci-?e|sxm\d?|nvl|oam)(?!\w)", re.IGNORECASE)
_FORM_NAMES = {"p": "PCIe", "s": "SXM", "n": "NVL", "o": "OAM"}
_LEADING_COUNT = re.compile(r"^(\d{1,4})\s*[x×]\s*(?=[^\W\d_])", re.IGNORECASE)
_TRAILING_COUNT = re.compile(r"(?:\s+x\s*|\s*×\s*)(\d{1,4})$", re.IGNORECASE)
_LIST_SEPARATOR = re.compile(r"(?:,|\s\+\s)(?![^()]*\))")

_NOT_SAID = frozenset({"", "-", "–", "—", "n/a", "na", "none", "null"})
_NO_GPU = _NOT_SAID | {"cpu", "cpu only", "cpu-only", "no gpu"}

_CPU_NOISE = re.compile(
    r"(?:\s*@)?\s+\d+(?:\.\d+)?\s?GHz\b"
    r"|\s+(?:w/|with)\s+Radeon\b.*$"
    r"|\b(?:\d+|dual|quad|six|eight|twelve|sixteen)-cores?\b"
    r"|\bprocesso\w*"  # some tools cut long names short
    r"|\bCPU\b"
    r"|^\d+th\s+gen\b",
    re.IGNORECASE,
)
_CPU_BRANDS = ("AMD", "Apple", "Core", "EPYC", "Intel", "Ryzen", "Threadripper", "Xeon")
_CPU_GRADES = ("AI", "Bronze", "Gold", "Max", "Max+", "Platinum", "Silver", "Ultra")
_CPU_WORDS = {word.casefold(): word for word in (*_CPU_BRANDS, *_CPU_GRADES)}
_LOWER_CASE_CPU_LEAD = re.compile(r"^[iw][3579]-", re.IGNORECASE)  # i9-13900K, w7-2495X
_CPU_VERSION = re.compile(r"^v\d$", re.IGNORECASE)  # E5-2680 v4
_CPU_MODEL = re.compile(r"^[a-z]?\d", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class GpuName:
    """One GPU name taken apart; `keys` are the spellings to look up, the most telling first."""

    reported: str
    count: int | None
    keys: tuple[str, ...]
    memory_gb: float | None
    form: str | None


def tidy(raw: str) -> str:
    """Return the text with runs of white space as one blank, and none at the ends."""
    return _BLANK.sub(" ", raw).strip()


def words(raw: str) -> tuple[str, ...]:
    """Split a name into runs of letters and of digits, in one letter case: "L40S" is l, 40, s."""
    text = unicodedata.normalize("NFKC", _TRADE_MARKS.sub(" ", raw))
    text = unicodedata.normalize("NFKC", _TRADE_MARKS.sub(" ", text).casefold())
    found = (_SYNONYMS.get(word, word) for word in _WORD.findall(text))
    return tuple(word for group in found for word in group.split())


def spelling_key(raw: str) -> str:
    """Return the form in which two spellings of one device are equal.

    Keys are compared whole, so T400 is never T4. The words that only name the maker are left out,
    unless nothing else is there ("AMD Radeon Graphics"). Applying it again changes nothing.
    """
    every_word = words(raw)
    telling = [word for word in every_word if word not in _UNTELLING_WORDS]
    return " ".join(telling or every_word)


def says_nothing(raw: str) -> bool:
    """Tell whether a text stands for "not stated", such as "N/A"."""
    return tidy(raw).casefold() in _NOT_SAID


def means_no_gpu(raw: str) -> bool:
    """Tell whether a text in the place of a GPU's name says that there is none."""
    return tidy(raw).casefold() in _NO_GPU


def read_gpu_names(raw: str) -> Iterator[GpuName]:
    """Yield each GPU of a reported name; llama.cpp lists several between commas."""
    for part in _LIST_SEPARATOR.split(raw):
        if not means_no_gpu(part):
            yield _read_gpu_name(tidy(part))


def _read_gpu_name(reported: str) -> GpuName:
    name, count = _split_count(reported)
    bare = _DRIVER_PARENTHESES.sub("", name)
    memory, form = _MEMORY.search(bare), _FORM.search(bare)
    for pattern in (_MEMORY, _MEMORY_TYPE, _FORM):
        bare = pattern.sub(" ", bare)
    keys = dict.fromkeys(key for key in (spelling_key(name), spelling_key(bare)) if key)
    return GpuName(
        reported=name,
        count=count,
        keys=tuple(keys),
        memory_gb=float(memory[1]) or None if memory else None,
        form=_FORM_NAMES[form[0][0].casefold()] if form else None,
    )


def _split_count(reported: str) -> tuple[str, int | None]:
    """Take "2x" or "x2" off a name; a count of 0 is no count."""
    for pattern in (_LEADING_COUNT, _TRAILING_COUNT):
        if (found := pattern.search(reported)) and int(found[1]):
            return tidy(pattern.sub("", reported)), int(found[1])
    return reported, None


def tidy_cpu_name(raw: str) -> str:
    """Return a CPU's name without trade marks, clock, core count and graphics, in usual case."""
    name = tidy(_CPU_NOISE.sub(" ", tidy(_TRADE_MARKS.sub(" ", raw))))
    return " ".join(_cpu_word(word) for word in name.split()) or tidy(raw)


def _cpu_word(word: str) -> str:
    if known := _CPU_WORDS.get(word.casefold()):
        return known
    if _LOWER_CASE_CPU_LEAD.match(word):
        return word[0].lower() + word[1:].upper()
    if _CPU_VERSION.match(word):
        return word.lower()
    return word.upper() if _CPU_MODEL.match(word) else word
