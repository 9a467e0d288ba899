"""What names of files and folders say in themselves: quantization, load, model. Names can lie.

Only what can hardly mean anything else is read: a wrong suggestion is worse than none.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.quantization import resolve_quantization
from experiments.backends import resolve_backend

_LONGEST = 500  # characters that are looked at, from the end
_STEP = re.compile(r"[/\\]+|-{2,}|_{2,}")  # many tools write folders as "--" or "__"
_TOKEN = re.compile(r"\d+\.\d{1,2}[a-zA-Z]?(?![^\W_])|[^\W_]+")
_COMPARING = frozenset({"vs", "versus"})
_SAME = re.compile(r"[^a-z0-9]+")

# No letter or digit before or after, and no second number behind: "conc-1-64" is a range. Dates
# have six digits or more.
_START = r"(?<![^\W_])"
_END = r"(?![^\W_])(?![-_.,]\d{1,5}(?![^\W_]))"
_COUNT = r"[-_=]?(\d{1,7})"

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Token:
    """A run of letters and digits of a name, in lower case; `gap` is what stands before it."""

    text: str
    gap: str
    start: int
    end: int


@dataclass(frozen=True)
class Part:
    """The name of one folder, or of the file, with its tokens."""

    raw: str
    tokens: tuple[Token, ...]

    def text(self, tokens: tuple[Token, ...]) -> str:
        """Return the tokens as they are written here, with what stands between them."""
        return self.raw[tokens[0].start : tokens[-1].end]


def read_parts(file_name: str) -> list[Part]:
    """Return folders and file of a name; those that compare two things tell nothing of this one."""
    parts = [_read_part(raw) for raw in _STEP.split(file_name[-_LONGEST:]) if raw]
    return [part for part in parts if not any(t.text in _COMPARING for t in part.tokens)]


def _read_part(raw: str) -> Part:
    tokens = []
    end = 0
    for found in _TOKEN.finditer(raw):
        gap = raw[end : found.start()]
        end = found.end()
        tokens.append(Token(found[0].lower(), gap, found.start(), end))
    return Part(raw, tuple(tokens))


def widest_windows(
    tokens: tuple[Token, ...], widest: int, read: Callable[[tuple[int, int]], _Value | None]
) -> Iterator[_Value]:
    """Yield what `read` makes of runs of tokens, the longest first, without overlap."""
    start = 0
    while start < len(tokens):
        for end in range(min(start + widest, len(tokens)), start, -1):
            if (value := read((start, end))) is not None:
                yield value
                start = end
                break
        else:
            start += 1


def only(values: Iterable[_Value | None]) -> _Value | None:
    """Return the one value that is said; None where nothing is, or two different things are."""
    said = {value for value in values if value is not None}
    return said.pop() if len(said) == 1 else None


# ------------------------------------------------------------------ quantization

_WIDEST_QUANTIZATION = 5
_LEGACY = re.compile(r"[it]?q\d")
_GLUED = re.compile(r"[it]?q\d\d+")  # "q40" may be anything
_PROGRAMS = frozenset({"mlx", "autoawq", "autogptq"})
_CACHE = frozenset({"kv", "kvcache", "cache", "ctk", "ctv", "k", "v"})


def quantizations(part: Part) -> Iterator[str]:
    """Yield the canonical names of the known quantizations in a part, but not those of a cache."""
    tokens = part.tokens

    def read(place: tuple[int, int]) -> str | None:
        start, end = place
        window = tokens[start:end]
        text = part.text(window)
        if not text.isascii() or not _may_be_quantization(window, text):
            return None
        beside = tokens[max(start - 1, 0) : start] + tokens[end : end + 1]
        if any(token.text in _CACHE for token in beside):
            return None
        found = resolve_quantization(text)
        return found.name if found.known else None

    return widest_windows(tokens, _WIDEST_QUANTIZATION, read)


def _may_be_quantization(window: tuple[Token, ...], text: str) -> bool:
    """Whether numbers in it belong to it: "phi-4-gptq" is no 4-bit GPTQ, "awq-2" a second run."""
    first, last = window[0].text, window[-1].text
    if len(window) == 1 and (first in _PROGRAMS or _GLUED.fullmatch(first)):
        return False
    if first.isdigit() and "bpw" not in text.lower():
        return False
    base = window[1].text if first in ("ud", "i1") and len(window) > 1 else first
    return not last.isdigit() or _LEGACY.fullmatch(base) is not None


# ------------------------------------------------------------------ backend

_WIDEST_BACKEND = 3
_ENGINES = frozenset(
    {
        "exllamav2",
        "exllamav3",
        "ik_llama.cpp",
        "llama.cpp",
        "lmdeploy",
        "ollama",
        "sglang",
        "tensorrt-llm",
        "tgi",
        "vllm",
    }
)
# A library, a tool that says itself what it ran, and what else is called so.
_NO_ENGINES = frozenset({"ggml", "llamabench", "sgl"})


def backends(part: Part) -> Iterator[str]:
    """Yield the canonical names of the engines in a part."""

    def read(place: tuple[int, int]) -> str | None:
        text = part.text(part.tokens[slice(*place)])
        name = resolve_backend(text)
        key = "".join(character for character in text.lower() if character.isalnum())
        return name if name in _ENGINES and key not in _NO_ENGINES else None

    return widest_windows(part.tokens, _WIDEST_BACKEND, read)


# ------------------------------------------------------------------ load and parallelism


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(_START + text + _END, re.IGNORECASE)


_CONCURRENCY = (
    _pattern(r"(?:max[-_]?)?(?:conc|concurrency|concurrent|users|clients)" + _COUNT),
    _pattern(r"(?<!\d[-_.,])(\d{1,7})[-_]?(?:users|clients|concurrent)"),
)
_BATCH = _pattern(r"(?:bs|bsz|batch|batch[-_]?size)" + _COUNT)
_PROMPTS = _pattern("np" + _COUNT)  # of a latency test: the batch
_SHORT_CONCURRENCY = _pattern(r"c(\d{1,5})")
_LEAST_TELLING_CONCURRENCY = 8  # "c4" is also a data set
_LENGTHS = (
    _pattern(r"(?:isl|input|in|ip)[-_=]?(\d{1,7})[-_.,x]?(?:osl|output|out|op)" + _COUNT),
    _pattern(r"(\d{1,7})(?:in|input)[-_]?(\d{1,7})(?:out|output)"),
)
_LENGTHS_IN_K = _pattern(r"(\d{1,3})k(\d{1,3})k")  # InferenceMAX: 1k8k is 1024 in, 8192 out
_INPUT = _pattern("isl" + _COUNT)
_OUTPUT = _pattern("osl" + _COUNT)
_TENSOR_PARALLEL = _pattern(r"tp[-_=]?(\d{1,2})")
_OTHER_PARALLEL = _pattern(r"(?:pp|dp|nodes?)" + _COUNT)


def token_lengths(part: Part) -> tuple[int | None, int | None]:
    """Return input and output tokens of a request; None where the part does not say one."""
    pairs = {(int(f[1]), int(f[2])) for p in _LENGTHS for f in p.finditer(part.raw)}
    pairs |= {(int(f[1]) * 1024, int(f[2]) * 1024) for f in _LENGTHS_IN_K.finditer(part.raw)}
    inputs = {length for length, _ in pairs} | set(_numbers(_INPUT, part))
    outputs = {length for _, length in pairs} | set(_numbers(_OUTPUT, part))
    return only(inputs - {0}), only(outputs - {0})


def concurrency(part: Part) -> int | None:
    """Return how many requests were served at once, None where the part does not say it."""
    patterns = [*_CONCURRENCY, _BATCH]
    if any(token.text == "latency" for token in part.tokens):
        patterns.append(_PROMPTS)
    said = [number for pattern in patterns for number in _numbers(pattern, part)]
    short = list(_numbers(_SHORT_CONCURRENCY, part))
    if token_lengths(part) == (None, None):
        short = [
            n for n in short if n >= _LEAST_TELLING_CONCURRENCY and (n % 10 == 0 or n % 8 == 0)
        ]
    return only({*said, *short} - {0})


def tensor_parallel(part: Part) -> int | None:
    """Return the tensor parallel degree, None beside another kind of parallelism."""
    if any(number > 1 for number in _numbers(_OTHER_PARALLEL, part)):
        return None
    return only(set(_numbers(_TENSOR_PARALLEL, part)) - {0})


def _numbers(pattern: re.Pattern[str], part: Part) -> Iterator[int]:
    return (int(found[1]) for found in pattern.finditer(part.raw))


# ------------------------------------------------------------------ model

_FAMILY = re.compile(
    r"(?:(?:code|tiny)?llama|mistral|mixtral|ministral|devstral|magistral|codestral|qwen|qwq"
    r"|(?:code)?gemma|phi|deepseek|(?:chat)?glm|yi|falcon|bloomz?|pythia|olmoe?|granite|nemotron"
    r"|vicuna|internlm|baichuan|starcoder|smollm|exaone|gpt)(?:\d+|v\d+)?"
)
_SIZE = re.compile(r"(?:\d+x)?[1-9]\d{0,3}(?:\.\d+)?b\d?|0\.\d+b")
_WITHIN = re.compile(
    r"\d{1,2}|\d\.\d{1,2}|[rv]\d|oss|neox|distill|next|coder|code|instruct|it|chat|nano|mini"
    r"|small|medium|large|omni|moe|super|math|vl|reasoning|" + _FAMILY.pattern
)
_BEHIND = re.compile(
    r"a\d+(?:\.\d+)?b|v\d|instruct|it|chat|base|coder|coding|thinking|reasoning|preview|dense"
    r"|moe|vl|omni|distill|qat|math|vision"
)
_EDITION = re.compile(r"2[4-9](?:0[1-9]|1[0-2])")  # Qwen3-30B-A3B-Instruct-2507
_NEUTRAL = re.compile(
    r"\d+|results?|bench|benchmarks?|tests?|runs?|reports?|outputs?|perf|evals?|serv(?:e|ing)"
    r"|throughput|latency|on?ffline|single|multi|gpus?|cpu|cuda|rocm|hip|vulkan|metal|vllm|sglang"
    r"|trt|trtllm|ollama|llamacpp|cpp|tgi|mlx|(?:\d+x)?(?:h|a|b|v|l|mi|rtx|rx|gh|gb)\d{2,}[a-z]*\d?"
)


# How TIGER-Lab's MMLU-Pro names its summaries: <model>-CoT-all_06-21_22-28_summary.txt
_SUMMARY = re.compile(
    r"(?P<model>[a-zA-Z\d][\w.+-]*)-(?:CoT|DA)-[^-_]+(?:_\d\d-\d\d){2}_summary(?:\.\w+)?",
    re.ASCII,
)


def summarised_model(part: Part) -> str | None:
    """Return the whole name of the model, revisions included, if a tool wrote it for that."""
    found = _SUMMARY.fullmatch(part.raw.removeprefix("accuracy_scores_"))
    return found["model"] if found else None


def model_names(part: Part) -> Iterator[str]:
    """Yield model names as they are written: a known family, a size, and what belongs to both."""
    for index, token in enumerate(part.tokens):
        if not _SIZE.fullmatch(token.text):
            continue
        start = _start_of_model(part.tokens, index)
        if start is not None:
            name = part.text(part.tokens[start : _end_of_model(part.tokens, index)])
            if name.isascii():
                yield name


def longest_model_name(names: Iterable[str]) -> str | None:
    """Return the one name that is said, the longest way it is said; None where two differ."""
    by_key = {_SAME.sub("", name.lower()): name for name in names}
    longest = max(by_key, key=len, default="")
    return by_key[longest] if longest and all(longest.startswith(key) for key in by_key) else None


def _start_of_model(tokens: tuple[Token, ...], size: int) -> int | None:
    """Return where the name begins whose size stands at an index; None where that is not sure."""
    start = None
    for index in range(size - 1, -1, -1):
        behind, token = tokens[index + 1], tokens[index]
        joined = behind.gap in ("-", ".", "") or (behind.gap == "_" and index == size - 1)
        if not joined or not _WITHIN.fullmatch(token.text):
            break
        if _FAMILY.fullmatch(token.text):
            if start is not None and tokens[start].text == token.text:
                break  # the organisation before it: meta-llama-Llama-3-8B
            start = index
    if start is None or (tokens[start].text == "gpt" and tokens[start + 1].text[0].isdigit()):
        return None
    if start and tokens[start].gap == "-" and tokens[start - 1].text == "meta":
        start -= 1
    if not start or tokens[start].gap not in ("-", ".", ""):
        return start
    return start if _NEUTRAL.fullmatch(tokens[start - 1].text) else None


def _end_of_model(tokens: tuple[Token, ...], size: int) -> int:
    """Return where the name ends whose size stands at an index."""
    end = size + 1
    while end < len(tokens):
        token, before = tokens[end], tokens[end - 1].text
        version = token.gap == "." and token.text.isdigit() and re.fullmatch(r"v\d", before)
        edition = before in ("instruct", "thinking") and _EDITION.fullmatch(token.text)
        if not version and not (token.gap == "-" and (edition or _BEHIND.fullmatch(token.text))):
            break
        end += 1
    return end
