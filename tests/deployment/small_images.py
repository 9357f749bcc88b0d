"""Images that take a moment to build and to push, for the tests around deploying."""

import io
import os
import tarfile
import uuid

import docker

from compose.manifest import Image, Manifest


class Builder:
    """Small images from nothing, each unlike any other; gone after the test."""

    def __init__(self, engine: docker.DockerClient) -> None:
        self._engine = engine
        self.tags: list[str] = []

    def image(self, *sizes: int) -> str:
        """The id of a new image with a layer of each of the `sizes`, in bytes."""
        tag = f"chartbuster-test/{uuid.uuid4().hex}:local"
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as files:
            steps = "".join(f"COPY {number} /\n" for number in range(len(sizes)))
            for name, body in (
                ("Dockerfile", f"FROM scratch\n{steps}".encode()),
                *((str(number), os.urandom(size)) for number, size in enumerate(sizes)),
            ):
                entry = tarfile.TarInfo(name)
                entry.size = len(body)
                files.addfile(entry, io.BytesIO(body))
        context.seek(0)
        image, _ = self._engine.images.build(fileobj=context, custom_context=True, tag=tag, rm=True)
        self.tags.append(tag)
        return str(image.id)

    def names_of(self, image_id: str) -> set[str]:
        return set(self._engine.api.inspect_image(image_id)["RepoTags"])

    def send(self, image_id: str, address: str, tag: str) -> None:
        """Push as anybody could, without asking this project."""
        self._engine.api.tag(image_id, address, tag)
        said = list(self._engine.api.push(address, tag, stream=True, decode=True, auth_config={}))
        self._engine.api.remove_image(f"{address}:{tag}")
        assert not [event for event in said if "error" in event]

    def remove(self) -> None:
        for tag in self.tags:
            self._engine.api.remove_image(tag, force=True)


def manifest_of(trainer: str, webapp: str) -> Manifest:
    known = {"trainer": trainer, "webapp": webapp}
    return Manifest(
        revision="",
        artifacts={},
        templates={},
        images={
            name: Image(id=image, platform="linux/amd64", base="", revision="", inputs="")
            for name, image in known.items()
        },
    )
