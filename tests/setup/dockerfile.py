"""The Dockerfile's own steps, run without a container engine into a folder."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from benchsite import env

DOCKERFILE = env.BASE_DIR / "Dockerfile"
_PATH_OF_IMAGE = re.compile(r"(?<![\w./}])/(opt|app|var/lib/benchsite)\b")
_WITHOUT_EFFECT = {"ARG", "FROM", "EXPOSE", "VOLUME", "HEALTHCHECK", "CMD"}


def instructions() -> list[tuple[str, str]]:
    """Return the instructions in order, each as its name and the rest, on one line."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines) if name]


def the_one(wanted: str) -> str:
    """Return what stands behind an instruction that occurs once."""
    (rest,) = (rest for name, rest in instructions() if name == wanted)
    return rest


@dataclass
class Image:
    """A folder that stands for the file systems of all stages: their paths are the same."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    folder: Path = Path("/")

    def build(self) -> None:
        """Run every instruction; one that is new to this code fails."""
        commands = self.root / "usr/bin"  # the base image's `python`, and nothing of this one
        commands.mkdir(parents=True)
        (commands / "python").symlink_to(getattr(sys, "_base_executable", sys.executable))
        kept = {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
        self.variables = {**kept, "PATH": f"{commands}:/usr/bin:/bin"}
        for name, rest in instructions():
            if name in _WITHOUT_EFFECT:
                continue
            getattr(self, f"_{name.lower()}")(self.here(rest))

    def here(self, text: str) -> str:
        """Return the text with the image's paths as they are on this machine."""
        return _PATH_OF_IMAGE.sub(lambda found: f"{self.root}{found[0]}", text)

    def _env(self, rest: str) -> None:
        for assignment in rest.split():
            name, _, value = assignment.partition("=")
            self.variables[name] = value.replace("$PATH", self.variables["PATH"])

    def _workdir(self, rest: str) -> None:
        self.folder = Path(rest)
        self.folder.mkdir(parents=True, exist_ok=True)

    def _user(self, rest: str) -> None:
        assert rest == "10001:10001"

    def _run(self, rest: str) -> None:
        subprocess.run(["/bin/sh", "-c", rest], cwd=self.folder, env=self.variables, check=True)

    def _copy(self, rest: str) -> None:
        *sources, target = rest.split()
        if sources[0].startswith("--from="):
            assert sources[1:] == [target]  # one folder for all stages holds it already
            assert Path(target).is_dir()
            return
        for source in sources:
            path = env.BASE_DIR / source
            if path.is_dir():
                shutil.copytree(path, self.folder / target, ignore=_ignored, dirs_exist_ok=True)
            else:
                shutil.copy(path, self.folder / target)


def _ignored(folder: str, names: list[str]) -> list[str]:
    """Apply .dockerignore."""
    patterns = (env.BASE_DIR / ".dockerignore").read_text().split()
    below = Path(folder).relative_to(env.BASE_DIR)

    def is_ignored(name: str) -> bool:
        path = str(below / name)
        return any(
            fnmatch(name, pattern.removeprefix("**/"))
            if pattern.startswith("**/")
            else fnmatch(path, pattern)
            for pattern in patterns
        )

    return [name for name in names if is_ignored(name)]
