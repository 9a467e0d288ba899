"""The compose file and the Dockerfile: of the specification's shape, exact versions, no secrets."""

import re
import subprocess
import sys
from typing import Any

from ruamel.yaml import YAML

from benchsite import env
from tests.setup.dockerfile import DOCKERFILE, instructions, the_one

COMPOSE = env.BASE_DIR / "docker-compose.yml"
EXACT = re.compile(r"[a-z]+:\d+\.\d+(\.\d+)?-[a-z-]+")


def compose() -> dict[str, Any]:
    """Return the compose file."""
    loaded: dict[str, Any] = YAML(typ="safe").load(COMPOSE)
    return loaded


def test_compose_file_follows_the_specification() -> None:
    """The schema is the compose specification's, as check-jsonschema carries it."""
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema=vendor.compose-spec",
            str(COMPOSE),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_every_image_has_an_exact_version() -> None:
    images = [service["image"] for service in compose()["services"].values() if "image" in service]
    base = the_one("ARG").removeprefix("BASE=")
    assert all(EXACT.fullmatch(image) for image in [*images, base])
    stages = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    assert stages == ["${BASE}", "${BASE}"]


def test_no_secret_stands_in_the_environment() -> None:
    for name, service in compose()["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY", variable):
                is_file = variable.endswith("_FILE")
                assert is_file or value == f"${{{variable}:-}}", f"{name}: {variable}"


def test_services_name_only_what_there_is() -> None:
    whole = compose()
    for service in whole["services"].values():
        assert set(service.get("depends_on", {})) <= set(whole["services"])
        volumes = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert volumes <= set(whole["volumes"])


def test_the_site_in_the_container_is_nobody_special() -> None:
    user, _, group = the_one("USER").partition(":")
    assert user.isdecimal()
    assert int(user) > 1000
    assert group == user
    site = compose()["services"]["site"]
    assert (site["read_only"], site["cap_drop"]) == (True, ["ALL"])
    lines = DOCKERFILE.read_text().splitlines()
    assert lines.index(f"USER {user}:{group}") > lines.index("COPY . .")
