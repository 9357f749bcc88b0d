"""Containers and supervised processes run one stack: held against each other, without an engine."""

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from compose.environment import local_aws, of_services
from compose.layout import STAGE, Layout, Ports, expected_outputs
from compose.manifest import IMAGES
from compose.programs import programs
from scripts.build import BASE, RECIPES
from scripts.logs import IN_CONTAINERS
from tests.emulator import ROOT
from trainer import worker

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PORTS = Ports(localstack=14790, web=14791)
PROGRAMS = {each.name: each for each in programs(Layout(ROOT), PORTS)}
DOCKERFILES = ("trainer/Dockerfile", "webapp/Dockerfile", "compose/localstack/Dockerfile")
COMPOSE_FILES = ("docker-compose.yml", "compose/dev.yaml")
# Where trainer and app find LocalStack in containers: behind the keeper's gate.
GATE = "http://keeper:4566"
# What hides a person's own settings; in a container nobody has any.
ONLY_EMBEDDED = {"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"}


def filled_in(value: object) -> str:
    """As Compose fills a value in where nothing is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def settings(service: str) -> dict[str, str]:
    return {name: filled_in(value) for name, value in SERVICES[service]["environment"].items()}


def dockerfile(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("service", ["trainer", "webapp"])
def test_trainer_and_app_are_told_the_same_in_containers_but_for_the_address(service: str):
    told = settings(service)
    embedded = PROGRAMS[service].environment

    assert set(told) == set(embedded) - ONLY_EMBEDDED
    in_containers = of_services(GATE, expected_outputs(GATE))
    assert told == {name: in_containers[name] for name in told}
    # Nothing but the address is another.
    assert {name: value.replace(GATE, PORTS.endpoint) for name, value in told.items()} == {
        name: value for name, value in embedded.items() if name not in ONLY_EMBEDDED
    }


def test_the_keeper_is_told_the_same_in_containers_but_for_whom_it_holds():
    told, embedded = settings("keeper"), PROGRAMS["keeper"].environment

    assert set(told) - {"GATE_PORT", "PUBLIC_ENDPOINT"} == (
        set(embedded) - ONLY_EMBEDDED - {"HOLD_PROGRAMS"}
    )
    assert told["STAGE"] == embedded["STAGE"] == STAGE
    assert GATE.endswith(f":{told['GATE_PORT']}")
    assert set(settings("deploy")) == set(told) - {"GATE_PORT"}


def test_people_reach_both_under_the_same_addresses():
    told = settings("keeper")

    assert told["PUBLIC_ENDPOINT"] == Ports().endpoint
    assert told["WEB_URL"] == Ports().web_url
    assert settings("localstack")["LOCALSTACK_HOST"] == Ports().endpoint.removeprefix("http://")


def test_localstack_runs_by_the_same_settings():
    told, embedded = settings("localstack"), PROGRAMS["localstack"].environment

    for name in ("LAMBDA_KEEPALIVE_MS", "LAMBDA_RETRY_BASE_DELAY", "LS_LOG"):
        assert told[name] == embedded[name]


@pytest.mark.parametrize("service", ["deploy", "keeper", "trainer", "webapp"])
def test_credentials_are_as_fake_as_without_docker(service: str):
    fake = local_aws("anywhere")

    for name in set(fake) - ONLY_EMBEDDED - {"AWS_ENDPOINT_URL"}:
        assert settings(service)[name] == fake[name]


@pytest.mark.parametrize("service", ["localstack", "keeper", "trainer", "webapp"])
def test_a_stop_is_given_the_same_time(service: str):
    assert SERVICES[service]["stop_grace_period"] == f"{PROGRAMS[service].stop_seconds}s"


def test_the_parts_are_the_same_but_for_who_starts_them():
    assert set(SERVICES) - {"deploy"} == set(PROGRAMS) - {"guard"}
    assert set(IN_CONTAINERS) == set(SERVICES)
    assert set(IMAGES) == set(SERVICES) - {"deploy"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_may_do_no_more_than_it_has_to(service: str):
    allowed = SERVICES[service]

    assert allowed["user"] == "10001:10001"
    assert allowed["read_only"] is True
    assert allowed["init"] is True
    assert allowed["cap_drop"] == ["ALL"]
    assert allowed["security_opt"] == ["no-new-privileges:true"]
    assert allowed["networks"] == ["inside"]
    assert {"mem_limit", "cpus", "pids_limit", "tmpfs"} <= set(allowed)
    assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc"} & set(allowed)
    assert allowed["logging"]["options"] == {"max-size": "5m", "max-file": "3"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_runs_an_image_that_is_there_and_is_restarted_but_for_the_deployment(
    service: str,
):
    name = "keeper" if service == "deploy" else service

    assert SERVICES[service]["image"] == f"${{{name.upper()}_IMAGE:-chartbuster/{name}:local}}"
    assert SERVICES[service]["pull_policy"] == "never"
    assert SERVICES[service]["restart"] == ("no" if service == "deploy" else "unless-stopped")


def test_whatever_runs_on_has_a_health_check_asked_often_at_the_start():
    for name in set(SERVICES) - {"deploy"}:
        assert SERVICES[name]["healthcheck"]["start_interval"] == "0.5s"
    # It ends, and nobody asks how it is; others wait for how it ended.
    assert SERVICES["deploy"]["healthcheck"] == {"disable": True}
    for service in SERVICES.values():
        wait = service.get("depends_on", {}).get("deploy")
        assert wait in (None, {"condition": "service_completed_successfully"})


def test_ports_are_published_on_127_0_0_1_and_only_two_of_them():
    published = [port for each in SERVICES.values() for port in each.get("ports", ())]

    assert [filled_in(port) for port in published] == [
        "127.0.0.1:4566:4566",
        "127.0.0.1:8501:8501",
    ]
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["localstack", "webapp"]


def test_the_one_network_translates_no_addresses():
    assert COMPOSE["networks"] == {
        "inside": {"driver_opts": {"com.docker.network.bridge.enable_ip_masquerade": "false"}}
    }


@pytest.mark.parametrize("service", SERVICES)
def test_no_name_is_asked_of_the_machine_s_name_server(service: str):
    """The engine would pass on whatever it does not know, like the name of a stopped service."""
    assert SERVICES[service]["dns"] == ["127.0.0.1"]


def test_only_the_keeper_and_its_deployment_keep_anything():
    for name, service in SERVICES.items():
        wanted = ["state:/state"] if name in {"deploy", "keeper"} else []
        assert service.get("volumes", []) == wanted


def test_the_checkout_is_mounted_for_development_alone_and_only_to_be_read():
    development = yaml.safe_load((ROOT / "compose/dev.yaml").read_text())["services"]

    assert set(development) == {"trainer", "webapp"}
    for service in development.values():
        assert set(service) == {"user", "volumes", "environment"}
        for volume in service["volumes"]:
            source, target, mode = volume.split(":")
            assert (ROOT / source).is_dir()
            assert target == f"/src/{Path(source).name}"
            assert mode == "ro"


@pytest.mark.parametrize("file", [*DOCKERFILES, *COMPOSE_FILES, "scripts/stage.sh"])
def test_nothing_mounts_the_engine_s_socket_and_nothing_is_the_latest(file: str):
    text = (ROOT / file).read_text()

    assert "docker.sock" not in text
    assert "latest" not in text
    assert not re.search(r"https?://(?!127\.0\.0\.1|keeper|localstack)", text)


@pytest.mark.parametrize("file", DOCKERFILES)
def test_every_stage_starts_from_the_base_the_manifest_names_or_from_another_stage(file: str):
    text = dockerfile(file)
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?$", text, re.MULTILINE)
    names = {name for _, name in stages if name}

    assert len(stages) == text.count("FROM ")
    assert {base for base, _ in stages} - names == {BASE}
    assert BASE == "python:3.13-slim-trixie"
    # Either would have to be fetched, also where the base image is there.
    assert "@sha256" not in text
    assert not re.search(r"^#\s*syntax", text, re.MULTILINE)


@pytest.mark.parametrize("file", DOCKERFILES)
def test_every_image_runs_as_somebody_without_rights_and_says_how_it_is(file: str):
    text = dockerfile(file)
    images = re.split(r"^FROM python:\S+(?: AS localstack)?$", text, flags=re.MULTILINE)[-1]

    assert "USER 10001:10001" in images
    assert "HEALTHCHECK" in images
    assert "ENTRYPOINT [" in images
    assert not re.search(r"^RUN ", images, re.MULTILINE)  # everything is staged before


def test_the_stages_that_images_have_alike_are_alike_to_the_letter():
    """So that they are built once."""
    first = {text.split("FROM tools AS ")[0][text.index("FROM ") :] for text in every_dockerfile()}

    assert len(first) == 1


def every_dockerfile() -> list[str]:
    return [dockerfile(file) for file in DOCKERFILES]


def copied(file: str) -> set[str]:
    """What a Dockerfile copies from the checkout."""
    lines = re.findall(r"^COPY (?!--from)(.*)$", dockerfile(file), re.MULTILINE)
    return {source for line in lines for source in line.split()[:-1]}


def let_in(path: str) -> bool:
    """Whether .dockerignore lets a file through: its last line that fits decides."""
    verdict = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if pattern and not pattern.startswith("#") and fits(path, pattern):
            verdict = line.startswith("!")
    return verdict


def fits(path: str, pattern: str) -> bool:
    """A pattern names a file, or a folder above it; its stars end at a slash."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(wanted) <= len(parts) and all(map(fnmatch, parts, wanted))


def concrete(pattern: str) -> str:
    return pattern.replace("*", "1.0-py3-none-any")


@pytest.mark.parametrize("file", DOCKERFILES)
def test_whatever_a_dockerfile_copies_goes_to_the_engine(file: str):
    assert copied(file)
    assert {path for path in copied(file) if not let_in(concrete(path))} == set()


def test_nothing_else_goes_to_the_engine():
    needed = {concrete(path) for file in DOCKERFILES for path in copied(file)}
    lines = (ROOT / ".dockerignore").read_text().splitlines()

    for path in (".git/config", ".env", ".stack/state/raw/x", ".venv/dev/bin/python", "LICENSE"):
        assert not let_in(path)
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert {one for one in allowed if not any(fits(path, one) for path in needed)} == set()
    # With one among them, the client looks at every file of the checkout.
    assert not {one for one in allowed if "*" in one}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_s_files_are_those_its_dockerfile_copies(recipe: Any):
    shared = {"scripts/stage.sh", "scripts/tools.txt"}
    copies = copied(recipe.dockerfile) - shared

    assert shared < set(recipe.inputs)
    if recipe.name == "localstack":  # the first stage of a Dockerfile of two
        copies -= {"build/wheels/chartbuster-*.whl", "build/create_data.zip"}
        copies -= {"build/demo_catalogue.csv.gz"}
    assert set(recipe.files) == copies
    for path in recipe.inputs:
        assert path.startswith("build/") or (ROOT / path).is_file()


def made_from(variable: str) -> set[str]:
    """The tracked files and folders a variable of the Makefile lists."""
    (line,) = re.findall(rf"^{variable} := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    folders = " ".join(re.findall(r"\$\(call find_sources,([^)]*)\)", line))
    rest = re.sub(r"\$\((call find_sources,|wildcard )[^)]*\)", "", line)
    return {*folders.split(), *rest.split()} | set(re.findall(r"\$\(wildcard ([^)]*)\)", line))


@pytest.mark.parametrize(
    ("image", "variable"),
    [
        ("localstack", "EXECUTOR_SOURCES"),
        ("keeper", "EXECUTOR_SOURCES"),
        ("keeper", "WHEEL_SOURCES"),
        ("keeper", "ZIP_SOURCES"),
        ("trainer", "WHEEL_SOURCES"),
        ("webapp", "WHEEL_SOURCES"),
    ],
)
def test_whatever_a_part_of_an_image_is_made_from_dates_and_labels_it(image: str, variable: str):
    (recipe,) = (each for each in RECIPES if each.name == image)
    tracked = {path.removeprefix(":(glob)") for path in (*recipe.sources, *recipe.files)}

    sources = made_from(variable)

    assert sources
    assert {source for source in sources if not under(source, tracked)} == set()


def under(path: str, folders: set[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def fresh_for(file: str) -> int:
    """How old a heartbeat an image's last health check takes."""
    return int(re.findall(r'"--fresh", "/tmp/alive", "(\d+)"', dockerfile(file))[-1])


def test_no_heartbeat_comes_later_than_its_health_check_allows():
    between = worker._LONGEST_REST + worker._LONGEST_BEAT

    assert fresh_for("trainer/Dockerfile") > between
    for file in ("trainer/Dockerfile", "compose/localstack/Dockerfile"):
        assert "HEARTBEAT_FILE=/tmp/alive" in dockerfile(file)


def test_health_checks_ask_where_the_programs_answer():
    app = dockerfile("webapp/Dockerfile")

    assert 'chartbuster.probe", "http://127.0.0.1:8501/_stcore/health"' in app
    assert 'CMD ["--host", "0.0.0.0", "--port", "8501"]' in app
    localstack = dockerfile("compose/localstack/Dockerfile")
    assert "http://127.0.0.1:4566/_localstack/health" in localstack
    assert "GATEWAY_LISTEN=0.0.0.0:4566" in localstack
