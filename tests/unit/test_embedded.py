import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chartbuster.errors import Misconfigured, NotFound
from compose import embedded
from compose.environment import MARK
from compose.keeper import Settings, checked_outputs
from compose.layout import Layout, Ports, expected_outputs
from compose.locking import Locked, only_one
from compose.processes import end_stack, is_alive, of_stack
from compose.programs import programs
from compose.supervision import Component
from compose.watching import reason


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def test_other_systems_are_told_to_use_docker_in_one_sentence():
    with pytest.raises(Misconfigured, match="use Docker") as raised:
        embedded.check_platform("darwin")
    assert "\n" not in str(raised.value)
    embedded.check_platform("linux")


def test_a_checkout_whose_path_would_end_a_quotation_is_refused():
    for bad in ('say "hello"', "$HOME", "`reboot`", "back\\slash"):
        with pytest.raises(Misconfigured, match="move it"):
            embedded.check_folder(Layout(Path("/tmp") / bad))
    embedded.check_folder(Layout(Path("/tmp/it's 100% fine #1; really")))


def test_everything_not_built_yet_is_named_at_once(layout: Layout):
    with pytest.raises(Misconfigured) as raised:
        embedded.check_artifacts(layout, programs(layout, Ports()))
    for missing in ("emulator", "trainer", "webapp", "scripts", "create_data.zip"):
        assert missing in str(raised.value)


def test_a_port_in_use_is_named_with_who_holds_it_and_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Misconfigured) as raised:
            embedded.check_ports(Ports(localstack=14795, web=port))
    words = str(raised.value)
    assert f"port {port} is held by pid {os.getpid()}" in words
    assert "WEB_PORT=" in words
    assert "14795" not in words


def test_a_stack_that_is_not_up_has_no_outputs(layout: Layout):
    with pytest.raises(NotFound, match="make up"):
        embedded.outputs(layout)


def test_stopping_what_never_ran_changes_nothing(layout: Layout):
    assert embedded.stop(layout) is False


def test_the_digest_of_what_is_built_follows_the_zip_and_the_installed_wheel(layout: Layout):
    record = layout.packages("trainer") / "chartbuster-0.1.dist-info" / "RECORD"
    record.parent.mkdir(parents=True)
    record.write_text("one")
    first = embedded.built(layout)
    assert embedded.built(layout) == first
    record.write_text("two")
    second = embedded.built(layout)
    layout.lambda_zip.parent.mkdir()
    layout.lambda_zip.write_bytes(b"zip")
    assert len({first, second, embedded.built(layout)}) == 3


def test_temporary_files_go_and_the_index_of_services_stays(layout: Layout):
    cache = layout.localstack_home / "files/var/lib/localstack/cache"
    for folder in (cache, layout.localstack_home / "tmp", layout.run):
        folder.mkdir(parents=True)
    (cache / "service-catalog-1.dill").touch()
    (layout.localstack_home / "tmp" / "code").touch()
    (layout.localstack_home / "files" / "link").symlink_to("/")
    embedded.stop(layout)
    left = {path for path in layout.stack.rglob("*") if not path.is_dir()}
    assert left == {cache / "service-catalog-1.dill"}


def test_forgetting_removes_everything(layout: Layout):
    layout.state.mkdir(parents=True)
    embedded.forget(layout)
    assert not layout.stack.exists()
    embedded.forget(layout)


def sleeper(layout: Layout, program: str, ignoring: str = "") -> "subprocess.Popen[bytes]":
    """A process of the stack that sleeps; `ignoring` is code that runs first."""
    code = f"{ignoring}\nprint(flush=True); import time; time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={MARK: str(layout.stack), "SUPERVISOR_PROCESS_NAME": program},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_every_process_with_the_stack_s_mark_is_ended_the_stubborn_too(layout: Layout):
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    started = [
        sleeper(layout, "trainer"),
        sleeper(layout, "keeper"),
        sleeper(layout, "localstack", stubborn),
        sleeper(layout, "webapp", stubborn),
    ]
    other = sleeper(Layout(layout.root / "other"), "trainer")
    try:
        assert {process.pid for process in of_stack(layout.stack)} == {p.pid for p in started}
        assert end_stack(layout.stack, patience=0.3) == 4
        assert of_stack(layout.stack) == []
        assert [process for process in of_stack(other_stack(layout)) if is_alive(process)]
    finally:
        other.kill()
        for process in (*started, other):
            process.wait()


def other_stack(layout: Layout) -> Path:
    return Layout(layout.root / "other").stack


def test_two_never_hold_the_lock_and_the_second_is_told_who_does(tmp_path: Path):
    lock = tmp_path / "lock"
    told: list[str] = []
    with (
        only_one(lock, patience=0),
        pytest.raises(Locked, match=str(os.getpid())),
        only_one(lock, patience=0.2, waiting=told.append),
    ):
        pytest.fail("both hold it")
    assert told == [f"process {os.getpid()}"]
    with only_one(lock, patience=0):
        pass


def test_a_lock_whose_file_was_removed_is_no_lock_any_more(tmp_path: Path):
    lock = tmp_path / "lock"
    with only_one(lock, patience=0):
        lock.unlink()
        with only_one(lock, patience=0):
            assert lock.exists()


def test_the_keeper_names_every_missing_setting_at_once():
    with pytest.raises(Misconfigured, match=r"STAGE.*STATE_DIR.*LAMBDA_ZIP"):
        Settings.from_env({})


def test_a_stack_deployed_under_other_names_is_refused(layout: Layout):
    endpoint = "http://127.0.0.1:14790"
    settings = Settings.from_env(
        {"AWS_ENDPOINT_URL": endpoint, "STAGE": "local", "WEB_URL": "http://127.0.0.1:14791"}
        | dict.fromkeys(("STATE_DIR", "REPORT_FILE", "OUTPUTS_FILE", "LAMBDA_ZIP"), "x")
        | {"DEMO_CATALOGUE": "x"}
    )
    found = expected_outputs(endpoint)
    assert checked_outputs(settings, found)["WebUrl"] == "http://127.0.0.1:14791"
    with pytest.raises(Misconfigured, match=r"RawBucket is 'other'"):
        checked_outputs(settings, found | {"RawBucket": "other"})


@pytest.mark.parametrize(
    ("state", "counts"),
    [("RUNNING", False), ("STOPPED", False), ("BACKOFF", True), ("FATAL", True), ("EXITED", True)],
)
def test_only_a_component_that_keeps_ending_counts_as_wrong(state: str, counts: bool):
    said = reason(Component("trainer", state, 0, 0.0, "exited too quickly"))
    assert bool(said) == counts
    assert ("exited too quickly" in said) == counts
