"""The images on their way to AWS: looked for there, pushed when missing, and deployed by digest.

In a repository an image's tag is the digest of its local id. So what is there already is known
before anything is sent, and a tag, which ECR lets nobody change, never means two images. What came
to be there is read back and compared with the image of this machine.
"""

import base64
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
from botocore.exceptions import ClientError
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException

from chartbuster.errors import Misconfigured, Permanent, TryAgain
from chartbuster.identity import digest
from compose.engine import NoEngine
from compose.manifest import Manifest
from infra.data import architecture
from scripts.aws.account import Account, is_loopback
from scripts.aws.calls import asking, code_of

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

AWS_IMAGES = ("trainer", "webapp")
"""The images that run on AWS; the others are LocalStack's."""

_PROCESSORS = {"linux/amd64": "x86_64", "linux/arm64": "arm64"}
_IMAGE_TYPES = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
_INDEX_TYPES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
# Engine 25, the oldest the stack is built with, and every later one speak it.
_API = "1.44"
# A dead engine may accept a connection and never answer.
_PATIENCE = 5.0
# The engine is silent while it packs a large layer.
_PUSH_PATIENCE = 600.0
_TELL_EVERY = 5.0


class PushFailed(TryAgain):
    """An image the engine could not push; holds what it said. A repeat sends only what is left."""


class OtherImage(Permanent):
    """ECR holds an image under a tag that stands for another one."""


@dataclass(frozen=True)
class Push:
    """One image and where it belongs; `needed` when its repository does not hold it yet.

    `id` is the image's id on this machine and `tag` its digits. `uri` is the repository as ECR
    names it and as task definitions do, `address` the same as the engine of this machine reaches
    it; they differ for a stand-in alone.
    """

    image: str
    id: str
    repository: str
    uri: str
    address: str
    tag: str
    needed: bool


@dataclass(frozen=True)
class Held:
    """What a repository holds under a tag.

    `digest` is that of the manifest, by which it is deployed. `ids` are the digests an engine may
    use as this image's id: that of the configuration, or of the manifest where the engine keeps
    images in containerd's store. `digests` are those a task that runs the image may show.
    """

    digest: str
    ids: tuple[str, ...]
    digests: tuple[str, ...]

    def is_image(self, local: str) -> bool:
        """Whether this is the image that has the id `local` on this machine."""
        return local in self.ids


@dataclass(frozen=True)
class Sent:
    """How far a push has come: layers there of all, and bytes sent of those that have to be."""

    image: str
    layers: Mapping[str, bool] = field(default_factory=dict)
    bytes: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def after(self, event: Mapping[str, Any]) -> "Sent":
        """The same once the engine has said `event`; raises `PushFailed` when that is an error."""
        if fault := event.get("error") or event.get("errorDetail", {}).get("message"):
            raise PushFailed(f"the image of {self.image} could not be pushed: {fault}")
        layer, status = event.get("id"), event.get("status", "")
        if not layer or "progressDetail" not in event:
            return self
        detail = event["progressDetail"] or {}
        sizes = dict(self.bytes)
        if "current" in detail:
            # Packed on the way, a layer can turn out larger than what was announced.
            sent = int(detail["current"])
            sizes[layer] = (sent, max(sent, int(detail.get("total", 0))))
        done = status in {"Pushed", "Layer already exists"} or status.startswith("Mounted from")
        if done and layer in sizes:
            sizes[layer] = (sizes[layer][1], sizes[layer][1])
        return replace(self, layers={**self.layers, layer: done}, bytes=sizes)

    @property
    def done(self) -> int:
        """How many layers are there."""
        return sum(self.layers.values())

    def __str__(self) -> str:
        sent, of = (sum(each) / 1e6 for each in zip(*self.bytes.values(), (0, 0), strict=True))
        return f"{self.image}: {self.done} of {len(self.layers)} layers, {sent:.0f} of {of:.0f} MB"


def tag_of(image_id: str) -> str:
    """The tag that stands for the image with this local id: its 64 digits."""
    kind, _, digits = image_id.partition(":")
    if kind != "sha256" or len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise Misconfigured(f"image id {image_id!r}; expected sha256: and 64 hexadecimal digits")
    return digits


def digest_in(reference: str) -> str:
    """The digest in `repository@sha256:...`, or nothing when the reference names none."""
    found = reference.partition("@")[2]
    return found if found.startswith("sha256:") else ""


def manifest_digest(text: str) -> str:
    """The digest of a manifest as the registry stores it."""
    return f"sha256:{digest(text.encode())}"


def config_digest(text: str) -> str:
    """The digest of the configuration a manifest names, or nothing for a list of manifests."""
    return str(json.loads(text).get("config", {}).get("digest", ""))


def listed_images(text: str) -> tuple[str, ...]:
    """The manifests of the images in a list of manifests; attestations are none."""
    return tuple(
        entry["digest"]
        for entry in json.loads(text).get("manifests", [])
        if entry.get("platform", {}).get("os") != "unknown"
    )


def registry(account: Account, environ: Mapping[str, str] = os.environ) -> str:
    """The address that stands in for ECR's registry, or nothing on AWS.

    Raises `Misconfigured` when ECR_REGISTRY is set for AWS, or is not of this machine, or is not
    set for a stand-in: images would leave for elsewhere.
    """
    wanted = environ.get("ECR_REGISTRY", "")
    if wanted and not account.is_stand_in:
        raise Misconfigured(
            f"ECR_REGISTRY is {wanted} and this is AWS account {account.id}, whose images belong "
            "in its own registry; unset ECR_REGISTRY"
        )
    if account.is_stand_in and not is_loopback(f"http://{wanted}"):
        raise Misconfigured(
            f"AWS_ENDPOINT_URL is {account.endpoint}, so no image may leave this machine, and "
            f"ECR_REGISTRY is {wanted or 'not set'}; expected an address like 127.0.0.1:4566"
        )
    return wanted


@contextmanager
def engine(*, patience: float = _PATIENCE) -> Iterator[docker.DockerClient]:
    """The Docker Engine of this machine, which has answered; raises `NoEngine` within seconds."""
    try:
        # With a version it asks nobody before it is known whether it may.
        client = docker.DockerClient.from_env(version=_API, timeout=patience)
    except (DockerException, RequestException) as error:
        raise NoEngine(f"there is no Docker Engine to push images with: {error}") from error
    try:
        where = client.api.base_url
        if not where.startswith("http+docker://"):
            raise NoEngine(f"Docker is set to {where}; expected an engine on this machine")
        try:
            client.version()
        except (DockerException, RequestException) as error:
            raise NoEngine(f"the Docker Engine did not answer: {error}") from error
        yield client
    finally:
        client.close()


def preflight(manifest: Manifest, *, zip_path: Path) -> str:
    """`x86_64` or `arm64`: the processor that the images and the Lambda's zip are for, all alike.

    Raises `Misconfigured` naming every image that was not built, is not on this machine under its
    id, or is for another processor; `NoEngine` where no engine answers.
    """
    code = architecture(zip_path)
    if lacking := [name for name in AWS_IMAGES if name not in manifest.images]:
        raise Misconfigured(f"no image of {', '.join(lacking)} was built; run `make build`")
    wanted = {name: manifest.images[name] for name in AWS_IMAGES}
    with engine() as client:
        found = {name: _platform(client, image.id) for name, image in wanted.items()}
    faults = [
        f"the image of {name} ({wanted[name].id}) is not here"
        if not platform
        else f"the image of {name} is for {platform}, and the Lambda's zip for {code}"
        for name, platform in found.items()
        if _PROCESSORS.get(platform) != code
    ]
    if faults:
        raise Misconfigured(f"{'; '.join(faults)}; `make build` makes them on and for this machine")
    return code


def plan_pushes(
    account: Account, manifest: Manifest, *, environ: Mapping[str, str] = os.environ
) -> tuple[Push, ...]:
    """Where each image of `manifest` belongs, and whether it has to be sent; sends nothing.

    The repositories need not be there yet. Raises `Misconfigured` for an image that was not built
    and for an ECR_REGISTRY that cannot be, `Unreachable` when ECR does not answer.
    """
    if lacking := [name for name in AWS_IMAGES if name not in manifest.images]:
        raise Misconfigured(f"no image of {', '.join(lacking)} was built; run `make build`")
    instead = registry(account, environ)
    ecr: ECRClient = account.session.client("ecr")
    pushes = []
    for name in AWS_IMAGES:
        repository, image_id = account.repository(name), manifest.images[name].id
        uri = _uri(ecr, account, repository)
        tag = tag_of(image_id)
        pushes.append(
            Push(
                image=name,
                id=image_id,
                repository=repository,
                uri=uri,
                address=f"{instead}/{repository}" if instead else uri,
                tag=tag,
                needed=held(ecr, repository, tag) is None,
            )
        )
    return tuple(pushes)


def push(
    account: Account,
    pushes: Iterable[Push],
    *,
    progress: Callable[[Sent], object] = lambda _sent: None,
) -> dict[str, str]:
    """Send what is needed; the references by image name, like `{"trainer": "uri@sha256:..."}`.

    `progress` is told after each layer, and every 5 s in between. Whatever was sent
    before an interruption is there at the next try. Raises `OtherImage` when ECR holds something
    else under an image's tag, `PushFailed` with what the engine said, `NoEngine`, `Unreachable`.
    """
    ecr: ECRClient = account.session.client("ecr")
    references = {}
    for each in pushes:
        # Somebody else may have been faster since the plan, and ECR refuses an identical repeat.
        if each.needed and held(ecr, each.repository, each.tag) is None:
            with engine(patience=_PUSH_PATIENCE) as client:
                _send(client, each, _login(ecr), progress)
        references[each.image] = reference(each, held(ecr, each.repository, each.tag))
    return references


def reference(wanted: Push, found: Held | None) -> str:
    """What a task definition names to run exactly this image; raises `OtherImage`, `PushFailed`."""
    if found is None:
        raise PushFailed(
            f"ECR does not hold {wanted.image} in {wanted.repository} under {wanted.tag}, although "
            "it was pushed; run it again"
        )
    if not found.is_image(wanted.id):
        raise OtherImage(
            f"ECR's {wanted.repository}:{wanted.tag} is the image {' or '.join(found.ids)}; "
            f"expected {wanted.id}. Delete that tag in ECR, and run it again"
        )
    return f"{wanted.uri}@{found.digest}"


def held(ecr: "ECRClient", repository: str, tag: str) -> Held | None:
    """What `repository` holds under `tag`; None when there is no such tag or repository."""
    text = _manifest(ecr, repository, tag=tag)
    if text is None:
        return None
    own = manifest_digest(text)
    inner = listed_images(text)
    texts = [text, *(found for each in inner if (found := _manifest(ecr, repository, digest=each)))]
    configurations = [name for name in map(config_digest, texts) if name]
    return Held(own, ids=(*configurations, own), digests=(own, *inner))


def _manifest(ecr: "ECRClient", repository: str, *, tag: str = "", digest: str = "") -> str | None:
    what = tag or digest
    with asking(f"ask ECR for {what} of {repository}"):
        try:
            answer = ecr.batch_get_image(
                repositoryName=repository,
                imageIds=[{"imageTag": tag} if tag else {"imageDigest": digest}],
                # What is stored comes back as it is only when its type is accepted.
                acceptedMediaTypes=[*_IMAGE_TYPES, *_INDEX_TYPES],
            )
        except ClientError as error:
            if code_of(error) == "RepositoryNotFoundException":
                return None
            raise
    if not answer["images"]:
        return None
    image = answer["images"][0]
    text, said = image["imageManifest"], image["imageId"]["imageDigest"]
    if manifest_digest(text) != said:
        raise OtherImage(
            f"ECR gives a manifest with digest {manifest_digest(text)} for {what} of {repository}; "
            f"it says itself that it is {said}"
        )
    return text


def _uri(ecr: "ECRClient", account: Account, repository: str) -> str:
    with asking(f"ask ECR for the repository {repository}"):
        try:
            found = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
        except ClientError as error:
            if code_of(error) != "RepositoryNotFoundException":
                raise
            domain = "amazonaws.com.cn" if account.region.startswith("cn-") else "amazonaws.com"
            return f"{account.id}.dkr.ecr.{account.region}.{domain}/{repository}"
    return found[0]["repositoryUri"]


def _login(ecr: "ECRClient") -> dict[str, str]:
    """What the engine shows the registry; it is passed with the call, and kept nowhere."""
    with asking("ask ECR for leave to push"):
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, _, password = base64.b64decode(token).decode().partition(":")
    return {"username": user, "password": password}


def _send(
    client: docker.DockerClient,
    wanted: Push,
    login: Mapping[str, str],
    progress: Callable[[Sent], object],
) -> None:
    try:
        client.api.tag(wanted.id, wanted.address, wanted.tag)
        try:
            events = client.api.push(
                wanted.address, wanted.tag, stream=True, decode=True, auth_config=dict(login)
            )
            # Nobody listening any more is how the engine learns that it shall stop.
            with closing(events):
                _follow(wanted.image, events, progress)
        finally:
            _untag(client, wanted)
    except ImageNotFound as error:
        raise Misconfigured(
            f"the image of {wanted.image} ({wanted.id}) is not here; run `make build`"
        ) from error
    except (DockerException, RequestException) as error:
        raise PushFailed(f"the image of {wanted.image} could not be pushed: {error}") from error


def _follow(
    image: str, events: Iterable[Mapping[str, Any]], progress: Callable[[Sent], object]
) -> None:
    sent, told = Sent(image), time.monotonic()
    for event in events:
        after = sent.after(event)
        now = time.monotonic()
        if after.done != sent.done or (after != sent and now - told >= _TELL_EVERY):
            told = now
            progress(after)
        sent = after


def _untag(client: docker.DockerClient, wanted: Push) -> None:
    """Take the tag away that the push needed, unless it is the image's last: that would delete it.

    What is left after a failure is one more name of an image, and in nobody's way.
    """
    own = f"{wanted.address}:{wanted.tag}"
    with suppress(DockerException, RequestException):
        if set(client.api.inspect_image(wanted.id).get("RepoTags") or ()) - {own}:
            client.api.remove_image(own, noprune=True)


def _platform(client: docker.DockerClient, image_id: str) -> str:
    """What the image is for, like `linux/amd64`; nothing when it is not on this machine."""
    try:
        found = client.api.inspect_image(image_id)
    except ImageNotFound:
        return ""
    except (DockerException, RequestException) as error:
        raise NoEngine(f"the Docker Engine did not answer: {error}") from error
    return f"{found['Os']}/{found['Architecture']}"
