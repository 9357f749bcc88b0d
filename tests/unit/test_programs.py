from dataclasses import replace
from pathlib import Path

import pytest
from supervisor.options import ServerOptions

from chartbuster.errors import Misconfigured
from compose.environment import MARK, local_aws, of_stack, without_own_aws
from compose.layout import Layout, Ports, expected_outputs
from compose.programs import Composition, Program, programs
from compose.supervision import configuration

LAYOUT = Layout(Path("/some where/it's 100% #1; mine"))
PORTS = Ports(localstack=14790, web=14791)
PERSON = {
    "PATH": "/usr/bin",
    "LANG": "C.UTF-8",
    "HOME": "/home/me",
    "AWS_PROFILE": "work",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL": "https://example.com",
    "GITHUB_TOKEN": "secret",
    "HTTPS_PROXY": "proxy:3128",
    "PYTHONPATH": "/elsewhere",
}


def by_name(ports: Ports = PORTS) -> dict[str, Program]:
    return {program.name: program for program in programs(LAYOUT, ports)}


def composition(ports: Ports = PORTS, built: str = "abc") -> Composition:
    return Composition(ports, of_stack(LAYOUT, PERSON), programs(LAYOUT, ports), built)


def test_the_stack_is_localstack_keeper_trainer_app_and_guard():
    assert list(by_name()) == ["localstack", "keeper", "trainer", "webapp", "guard"]


def test_what_others_read_to_the_end_stops_last():
    stopping = sorted(by_name().values(), key=lambda program: -program.priority)
    names = [program.name for program in stopping]
    assert names == ["guard", "webapp", "trainer", "keeper", "localstack"]


def test_only_the_trainer_waits_for_the_keeper():
    assert [each.name for each in by_name().values() if not each.autostart] == ["trainer"]
    assert by_name()["keeper"].environment["HOLD_PROGRAMS"] == "trainer"


def test_everything_listens_on_127_0_0_1_at_the_chosen_ports():
    assert by_name()["localstack"].environment["GATEWAY_LISTEN"] == "127.0.0.1:14790"
    app = by_name()["webapp"].command
    assert app[app.index("--host") + 1] == "127.0.0.1"
    assert app[app.index("--port") + 1] == "14791"


def test_trainer_and_app_get_the_stack_s_names_and_fake_credentials():
    for name in ("trainer", "webapp"):
        settings = by_name()[name].environment
        assert settings["ARTIFACTS_BUCKET"] == "chartbuster-local-000000000000-artifacts"
        assert settings["AWS_ENDPOINT_URL"] == "http://127.0.0.1:14790"
        assert settings["AWS_ACCESS_KEY_ID"] == "test"
        assert settings["TRAIN_QUEUE_URL"] == expected_outputs(PORTS.endpoint)["QueueUrl"]


def test_nothing_private_of_the_person_reaches_a_program():
    shared = of_stack(LAYOUT, PERSON)
    assert shared["PATH"] == "/usr/bin"
    assert not {"work", "real", "secret", "proxy:3128", "/elsewhere"} & set(shared.values())
    assert not [name for name in shared if name.startswith("AWS_")]


def test_whatever_a_program_writes_lands_under_the_stack_folder():
    shared = of_stack(LAYOUT, PERSON)
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", MARK):
        assert shared[name].startswith(str(LAYOUT.stack))


def test_programs_beside_the_stack_lose_the_person_s_aws_and_proxies_and_keep_the_rest():
    left = without_own_aws(PERSON)
    assert left["GITHUB_TOKEN"] == "secret"
    assert not {"work", "real", "https://example.com", "proxy:3128"} & set(left.values())
    assert local_aws("http://127.0.0.1:1")["AWS_CONFIG_FILE"] == left["AWS_CONFIG_FILE"]


def test_a_composition_is_read_as_it_was_written():
    assert Composition.from_json(composition().to_json()) == composition()


@pytest.mark.parametrize("text", ["{}", "nothing", "[]", '{"ports": {}}'])
def test_anything_else_is_no_composition(text: str):
    with pytest.raises((ValueError, KeyError, TypeError)):
        Composition.from_json(text)


def test_the_fingerprint_tells_ports_and_artifacts_apart_but_not_terminals():
    same = replace(composition(), environment={"LANG": "de_DE"})
    assert same.fingerprint == composition().fingerprint
    assert composition(built="other").fingerprint != composition().fingerprint
    assert composition(Ports(14792, 14791)).fingerprint != composition().fingerprint


def test_supervisor_reads_its_configuration_as_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    layout = Layout(tmp_path / "it's 100% #1; mine")
    for folder in (layout.logs, layout.run):
        folder.mkdir(parents=True)
    file = layout.run / "supervisord.conf"
    file.write_text(configuration(layout, programs(layout, PORTS)))
    monkeypatch.chdir(layout.stack)
    options = ServerOptions()
    options.realize(["-c", str(file)], doc="")
    options.process_config(do_usage=False)
    groups = {group.name: group.process_configs[0] for group in options.process_group_configs}
    assert set(groups) == set(by_name())
    assert groups["keeper"].command == "../.venv/scripts/bin/python -m compose.launcher keeper"
    assert groups["keeper"].stopwaitsecs == 20
    assert groups["trainer"].autostart is False
    assert groups["localstack"].stdout_logfile == "logs/localstack.log"
    assert [each["family"].name for each in options.server_configs] == ["AF_UNIX"]


def test_supervisor_is_reached_without_the_checkout_s_path():
    deep = Layout(Path("/", *["a-deep-folder"] * 20))
    assert str(deep.root) not in configuration(deep, programs(deep, PORTS))


def test_ports_come_from_the_environment():
    assert Ports.from_env({}) == Ports(4566, 8501)
    assert Ports.from_env({"LOCALSTACK_PORT": "4600", "WEB_PORT": ""}) == Ports(4600, 8501)


def test_every_impossible_port_is_named_at_once():
    with pytest.raises(Misconfigured, match=r"LOCALSTACK_PORT='x' .* WEB_PORT='70000'"):
        Ports.from_env({"LOCALSTACK_PORT": "x", "WEB_PORT": "70000"})


def test_one_port_for_both_is_refused():
    with pytest.raises(Misconfigured, match="both 8501"):
        Ports.from_env({"LOCALSTACK_PORT": "8501"})
