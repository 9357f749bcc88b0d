"""Pushing images by digest: real pushes of small images to the stand-in, and what is made of them.

What AWS alone can show stays open: that its registry takes the token, and that it refuses others.
"""

import base64
import dataclasses
import json
import platform
import socket
import time
import uuid
import zipfile
from pathlib import Path
from typing import Any

import docker
import pytest

from chartbuster.errors import Misconfigured
from compose.engine import NoEngine
from compose.manifest import Manifest
from scripts.aws import images
from scripts.aws.account import Account
from scripts.aws.images import (
    AWS_IMAGES,
    Held,
    OtherImage,
    Push,
    PushFailed,
    Sent,
    digest_in,
    held,
    plan_pushes,
    preflight,
    push,
    reference,
    registry,
    tag_of,
)
from scripts.aws.standin import StandIn
from tests.deployment.small_images import Builder, manifest_of
from tests.emulator import free_port

pytestmark = pytest.mark.integration

_AN_ID = f"sha256:{'a1' * 32}"
_ANOTHER_ID = f"sha256:{'b2' * 32}"
_TOKEN = "ministack-auth-token"
_LARGE = 15_000_000


@pytest.fixture
def account(standin: StandIn) -> Account:
    """A stage of its own with both repositories, as the bootstrap stack makes them."""
    fresh = standin.account(f"t{uuid.uuid4().hex[:8]}")
    for name in AWS_IMAGES:
        fresh.session.client("ecr").create_repository(
            repositoryName=fresh.repository(name), imageTagMutability="IMMUTABLE"
        )
    return fresh


def a_push(**changes: Any) -> Push:
    wanted = Push(
        image="trainer",
        id=_AN_ID,
        repository="chartbuster-dev/trainer",
        uri="1.dkr.ecr.eu-north-1.amazonaws.com/chartbuster-dev/trainer",
        address="127.0.0.1:4566/chartbuster-dev/trainer",
        tag=tag_of(_AN_ID),
        needed=True,
    )
    return dataclasses.replace(wanted, **changes)


def code_for(folder: Path, machine: str) -> Path:
    """A Lambda's zip with a module compiled for `machine`."""
    path = folder / "create_data.zip"
    with zipfile.ZipFile(path, "w") as code:
        code.writestr(f"numpy/core.cpython-313-{machine}-linux-gnu.so", b"")
    return path


# --- what is pushed, and what is not ----------------------------------------------------------


def test_both_images_go_under_their_ids_and_are_named_by_their_manifests_digest(
    account: Account, standin: StandIn, builder: Builder
):
    manifest = manifest_of(builder.image(1_000), builder.image(2_000))

    planned = plan_pushes(account, manifest, environ=standin.environ)
    references = push(account, planned)

    assert [each.needed for each in planned] == [True, True]
    ecr = account.session.client("ecr")
    for name in AWS_IMAGES:
        (found,) = ecr.describe_images(repositoryName=account.repository(name))["imageDetails"]
        assert found["imageTags"] == [manifest.images[name].id.removeprefix("sha256:")]
        uri, _, digest = references[name].partition("@")
        assert digest == found["imageDigest"]
        assert uri == f"{account.id}.dkr.ecr.us-east-1.amazonaws.com/{account.repository(name)}"


def test_a_plan_needs_no_repository_and_makes_none(standin: StandIn):
    nowhere = standin.account("nowhere")

    planned = plan_pushes(nowhere, manifest_of(_AN_ID, _ANOTHER_ID), environ=standin.environ)

    assert [(each.image, each.needed) for each in planned] == [("trainer", True), ("webapp", True)]
    known = nowhere.session.client("ecr").describe_repositories()["repositories"]
    assert not {each.repository for each in planned} & {each["repositoryName"] for each in known}


def test_a_second_push_sends_nothing_and_gives_the_same_references(
    account: Account, standin: StandIn, builder: Builder
):
    manifest = manifest_of(builder.image(1_000), builder.image(2_000))
    told: list[Sent] = []
    planned = plan_pushes(account, manifest, environ=standin.environ)
    first = push(account, planned)

    again = plan_pushes(account, manifest, environ=standin.environ)

    assert [each.needed for each in again] == [False, False]
    assert push(account, again, progress=told.append) == first
    # Planned before the first push came to its end, as by two people at once.
    assert push(account, planned, progress=told.append) == first
    assert told == []


def test_one_changed_image_is_the_only_one_sent(
    account: Account, standin: StandIn, builder: Builder
):
    trainer = builder.image(1_000)
    told: list[Sent] = []
    before = manifest_of(trainer, builder.image(2_000))
    push(account, plan_pushes(account, before, environ=standin.environ))

    after = manifest_of(trainer, builder.image(3_000))
    push(account, plan_pushes(account, after, environ=standin.environ), progress=told.append)

    assert {each.image for each in told} == {"webapp"}


def test_the_tag_a_push_needs_on_this_machine_is_gone_afterwards(
    account: Account, standin: StandIn, builder: Builder
):
    trainer, webapp = builder.image(1_000), builder.image(2_000)
    before = builder.names_of(trainer) | builder.names_of(webapp)

    push(account, plan_pushes(account, manifest_of(trainer, webapp), environ=standin.environ))

    assert builder.names_of(trainer) | builder.names_of(webapp) == before


def test_an_image_without_another_name_outlives_its_push(
    account: Account, standin: StandIn, builder: Builder, engine: docker.DockerClient
):
    trainer, webapp = builder.image(1_000), builder.image(2_000)
    planned = plan_pushes(account, manifest_of(trainer, webapp), environ=standin.environ)
    engine.api.tag(trainer, planned[0].address, planned[0].tag)
    engine.api.remove_image(builder.tags[0], noprune=True)
    builder.tags[0] = f"{planned[0].address}:{planned[0].tag}"

    push(account, planned)

    assert engine.api.inspect_image(trainer)["Id"] == trainer


def test_a_push_that_was_interrupted_goes_on_at_the_next_try(
    account: Account, standin: StandIn, builder: Builder
):
    trainer = builder.image(1_000, _LARGE)
    before = builder.names_of(trainer)
    planned = plan_pushes(account, manifest_of(trainer, builder.image(10)), environ=standin.environ)

    def interrupt(_sent: Sent) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        push(account, planned, progress=interrupt)
    # Long enough for the engine to have sent the rest, were it still at it. Whoever keeps the
    # exception keeps all that it was raised in.
    time.sleep(2)
    assert stopped.value
    ecr = account.session.client("ecr")
    left = held(ecr, account.repository("trainer"), tag_of(trainer))
    names = builder.names_of(trainer)
    again = plan_pushes(account, manifest_of(trainer, planned[1].id), environ=standin.environ)
    references = push(account, again)

    assert left is None
    assert names == before
    assert again[0].needed
    found = held(ecr, account.repository("trainer"), tag_of(trainer))
    assert found is not None
    assert digest_in(references["trainer"]) == found.digest


def test_progress_ends_with_every_layer_there(account: Account, standin: StandIn, builder: Builder):
    told: list[Sent] = []
    manifest = manifest_of(builder.image(1_000, 2_000_000, 3_000), builder.image(10))

    push(
        account,
        plan_pushes(account, manifest, environ=standin.environ),
        progress=told.append,
    )

    trainers = [str(each) for each in told if each.image == "trainer"]
    assert trainers[-1] == "trainer: 3 of 3 layers, 2 of 2 MB"


# --- what is refused --------------------------------------------------------------------------


def test_another_image_under_the_tag_is_seen_and_never_deployed(
    account: Account, standin: StandIn, builder: Builder
):
    trainer, other = builder.image(1_000), builder.image(1_000)
    manifest = manifest_of(trainer, builder.image(10))
    address = f"{standin.registry}/{account.repository('trainer')}"
    builder.send(other, address, tag_of(trainer))

    planned = plan_pushes(account, manifest, environ=standin.environ)

    with pytest.raises(OtherImage) as refused:
        push(account, planned)
    assert not planned[0].needed
    assert other in str(refused.value)
    assert f"expected {trainer}" in str(refused.value)


def test_what_the_engine_could_not_push_is_an_error_with_its_words(
    standin: StandIn, builder: Builder
):
    nowhere = standin.account("nowhere")
    manifest = manifest_of(builder.image(10), builder.image(20))

    with pytest.raises(PushFailed, match=r"image of trainer could not be pushed: .*not") as failed:
        push(nowhere, plan_pushes(nowhere, manifest, environ=standin.environ))

    assert "chartbuster-nowhere/trainer" in str(failed.value)


def test_an_image_that_is_not_here_says_what_makes_it(account: Account, standin: StandIn, engine):
    planned = plan_pushes(account, manifest_of(_AN_ID, _ANOTHER_ID), environ=standin.environ)

    with pytest.raises(Misconfigured, match=rf"trainer \({_AN_ID}\) is not here; run `make build`"):
        push(account, planned)


def test_what_admits_to_the_registry_is_neither_told_nor_kept(
    account: Account,
    standin: StandIn,
    builder: Builder,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    caplog.set_level("DEBUG", logger="docker")
    caplog.set_level("DEBUG", logger="urllib3")
    told: list[Sent] = []
    manifest = manifest_of(builder.image(10), builder.image(20))
    token = account.session.client("ecr").get_authorization_token()["authorizationData"][0]

    nowhere = standin.account("nowhere")

    planned = plan_pushes(account, manifest, environ=standin.environ)
    references = push(account, planned, progress=told.append)
    with pytest.raises(PushFailed) as failed:
        push(nowhere, plan_pushes(nowhere, manifest, environ=standin.environ))

    assert base64.b64decode(token["authorizationToken"]).decode() == f"AWS:{_TOKEN}"
    captured = capfd.readouterr()
    said = (captured.out, captured.err, caplog.text, repr((planned, references, told, failed)))
    for secret in (_TOKEN, token["authorizationToken"]):
        assert secret not in "".join(said)
    assert "Sending supplied auth config" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_another_registry_is_refused_on_aws():
    on_aws = Account("111122223333", "eu-north-1", "dev", endpoint="", session=None)  # type: ignore[arg-type]

    with pytest.raises(
        Misconfigured, match=r"ECR_REGISTRY is 127\.0\.0\.1:5000 and this is AWS acc"
    ):
        registry(on_aws, {"ECR_REGISTRY": "127.0.0.1:5000"})
    assert registry(on_aws, {}) == ""


@pytest.mark.parametrize("elsewhere", ["", "registry.example:5000", "127.0.0.1.example:5000"])
def test_a_stand_in_never_gets_a_registry_of_another_host(standin: StandIn, elsewhere: str):
    manifest = manifest_of(_AN_ID, _ANOTHER_ID)

    with pytest.raises(
        Misconfigured, match=r"no image may leave this machine, and ECR_REGISTRY is"
    ):
        plan_pushes(standin.account(), manifest, environ={"ECR_REGISTRY": elsewhere})


def test_images_that_were_not_built_are_named(standin: StandIn):
    without = Manifest(revision="", artifacts={}, templates={}, images={})

    with pytest.raises(Misconfigured, match="no image of trainer, webapp was built; run `make"):
        plan_pushes(standin.account(), without, environ=standin.environ)


# --- before anything is done ------------------------------------------------------------------


def test_the_processor_is_the_one_of_both_images_and_of_the_zip(builder: Builder, tmp_path: Path):
    machine = platform.machine()
    manifest = manifest_of(builder.image(10), builder.image(20))

    found = preflight(manifest, zip_path=code_for(tmp_path, machine))

    assert found == {"x86_64": "x86_64", "aarch64": "arm64"}[machine]


def test_a_zip_for_another_processor_is_refused(builder: Builder, tmp_path: Path):
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}[platform.machine()]
    manifest = manifest_of(builder.image(10), builder.image(20))

    with pytest.raises(
        Misconfigured, match=r"image of trainer is for linux/.*, and the Lambda's z"
    ):
        preflight(manifest, zip_path=code_for(tmp_path, other))


def test_every_image_that_is_not_here_is_named(engine: docker.DockerClient, tmp_path: Path):
    code = code_for(tmp_path, platform.machine())

    with pytest.raises(Misconfigured) as refused:
        preflight(manifest_of(_AN_ID, _ANOTHER_ID), zip_path=code)

    assert f"the image of trainer ({_AN_ID}) is not here" in str(refused.value)
    assert f"the image of webapp ({_ANOTHER_ID}) is not here" in str(refused.value)


def test_an_engine_that_never_answers_is_given_up_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        began = time.monotonic()

        with pytest.raises(NoEngine, match="did not answer"), images.engine(patience=0.5):
            pytest.fail("an engine answered")

    assert time.monotonic() - began < 5


def test_an_engine_elsewhere_is_refused_before_it_is_asked(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", free_port())) as elsewhere:
        elsewhere.settimeout(0.2)
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{elsewhere.getsockname()[1]}")

        with pytest.raises(NoEngine, match="expected an engine on this machine"), images.engine():
            pytest.fail("an engine answered")
        with pytest.raises(TimeoutError):
            elsewhere.accept()


# --- digests ----------------------------------------------------------------------------------


def test_a_list_of_manifests_is_the_image_in_it_and_not_its_attestation(account: Account):
    ecr, repository = account.session.client("ecr"), account.repository("trainer")
    one = json.dumps({"schemaVersion": 2, "config": {"digest": _AN_ID}, "layers": []})
    stored = ecr.put_image(repositoryName=repository, imageManifest=one)["image"]["imageId"]
    image = {"platform": {"os": "linux"}, "digest": stored["imageDigest"]}
    attestation = {"platform": {"os": "unknown"}, "digest": _ANOTHER_ID}
    listed = json.dumps({"schemaVersion": 2, "manifests": [image, attestation]})
    ecr.put_image(repositoryName=repository, imageManifest=listed, imageTag=tag_of(_AN_ID))

    found = held(ecr, repository, tag_of(_AN_ID))

    assert found == Held(
        digest=images.manifest_digest(listed),
        ids=(_AN_ID, images.manifest_digest(listed)),
        digests=(images.manifest_digest(listed), images.manifest_digest(one)),
    )


def test_a_manifest_that_is_not_what_its_digest_says_is_refused(account: Account):
    ecr, repository = account.session.client("ecr"), account.repository("trainer")
    text = json.dumps({"schemaVersion": 2, "config": {"digest": _AN_ID}, "layers": []})
    ecr.put_image(
        repositoryName=repository,
        imageManifest=text,
        imageTag=tag_of(_AN_ID),
        imageDigest=_ANOTHER_ID,
    )

    with pytest.raises(OtherImage, match=f"it says itself that it is {_ANOTHER_ID}"):
        held(ecr, repository, tag_of(_AN_ID))


def test_an_image_is_known_by_its_configuration_or_by_its_manifest():
    found = Held(digest=_ANOTHER_ID, ids=(_AN_ID, _ANOTHER_ID), digests=(_ANOTHER_ID,))

    assert reference(a_push(), found) == f"{a_push().uri}@{_ANOTHER_ID}"
    assert reference(a_push(id=_ANOTHER_ID), found) == f"{a_push().uri}@{_ANOTHER_ID}"
    with pytest.raises(OtherImage):
        reference(a_push(id=f"sha256:{'c3' * 32}"), found)


def test_a_push_that_left_nothing_is_no_success():
    with pytest.raises(PushFailed, match="although it was pushed"):
        reference(a_push(), None)


@pytest.mark.parametrize("wrong", ["", "latest", f"sha512:{'a1' * 32}", "sha256:A1", "sha256:"])
def test_what_is_no_image_id_makes_no_tag(wrong: str):
    with pytest.raises(Misconfigured, match="expected sha256: and 64 hexadecimal digits"):
        tag_of(wrong)


def test_a_reference_by_tag_has_no_digest():
    assert digest_in(f"1.dkr.ecr.eu-north-1.amazonaws.com/a/b@{_AN_ID}") == _AN_ID
    assert digest_in("1.dkr.ecr.eu-north-1.amazonaws.com/a/b:latest") == ""


def test_bytes_and_layers_are_counted_as_the_engine_tells_them():
    said: list[dict[str, Any]] = [
        {"status": "The push refers to repository [127.0.0.1:4566/trainer]"},
        {"status": "Preparing", "progressDetail": {}, "id": "one"},
        {"status": "Preparing", "progressDetail": {}, "id": "two"},
        {"status": "Preparing", "progressDetail": {}, "id": "six"},
        {"status": "Layer already exists", "progressDetail": {}, "id": "six"},
        {"status": "Pushing", "progressDetail": {"current": 2e6, "total": 8e6}, "id": "one"},
        {"status": "Pushing", "progressDetail": {"current": 5e6}, "id": "two"},
        {"status": "Pushed", "progressDetail": {}, "id": "two"},
    ]
    sent = Sent("trainer")

    for event in said:
        sent = sent.after(event)

    assert str(sent) == "trainer: 2 of 3 layers, 7 of 13 MB"
    sent = sent.after({"status": "Pushed", "progressDetail": {}, "id": "one"})
    assert str(sent) == "trainer: 3 of 3 layers, 13 of 13 MB"
    assert sent.after({"status": "abc: digest: sha256:1 size: 2"}) == sent


def test_an_error_in_the_engines_words_is_an_error():
    with pytest.raises(PushFailed, match="image of webapp could not be pushed: denied"):
        Sent("webapp").after({"errorDetail": {"message": "denied"}, "error": "denied"})
