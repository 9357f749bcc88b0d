"""The build manifest: read as written, and half of one is none."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from chartbuster.errors import Misconfigured
from compose import manifest
from compose.manifest import IMAGES, Image, Manifest


def image(name: str) -> Image:
    return Image(f"sha256:{name}", "linux/amd64", "sha256:base", "abc", "inputs of it")


MADE = Manifest(
    revision="abc-changed",
    artifacts={"create_data.zip": "1", "chartbuster-1-py3-none-any.whl": "2"},
    templates={"data.yaml": "3"},
    images={name: image(name) for name in IMAGES},
)


def backwards[T](named: Mapping[str, T]) -> dict[str, T]:
    return {name: named[name] for name in reversed(list(named))}


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path):
    file = tmp_path / "manifest.json"
    file.write_text(MADE.to_json())

    assert manifest.read(file) == MADE


def test_the_text_does_not_depend_on_the_order_things_were_built_in():
    other = Manifest(
        MADE.revision,
        backwards(MADE.artifacts),
        MADE.templates,
        backwards(MADE.images),
    )

    assert other.to_json() == MADE.to_json()
    assert MADE.to_json().endswith("}\n")


def test_a_missing_manifest_says_what_writes_it(tmp_path: Path):
    file = tmp_path / "manifest.json"

    with pytest.raises(Misconfigured) as raised:
        manifest.read(file)

    assert str(raised.value) == f"{file} is not there; `make build` writes it"


def changed(**parts: object) -> str:
    return json.dumps({**json.loads(MADE.to_json()), **parts})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        MADE.to_json()[:-30],
        changed(images=[]),
        changed(images={"trainer": {"id": "sha256:1"}}),
        changed(images={"trainer": "sha256:1"}),
        changed(more="than is known"),
        json.dumps({"images": {}}),
    ],
)
def test_anything_else_is_no_manifest_and_names_the_way_to_one(tmp_path: Path, text: str):
    file = tmp_path / "manifest.json"
    file.write_text(text)

    with pytest.raises(Misconfigured) as raised:
        manifest.read(file)

    assert str(raised.value).startswith(f"{file} is no build manifest (")
    assert str(raised.value).endswith("); run `make build`")


def test_a_file_that_cannot_be_read_is_no_manifest(tmp_path: Path):
    with pytest.raises(Misconfigured, match="Is a directory"):
        manifest.read(tmp_path)


def test_compose_gets_every_image_by_its_id_and_the_template_by_its_digest():
    assert manifest.variables(MADE) == {
        "LOCALSTACK_IMAGE": "sha256:localstack",
        "KEEPER_IMAGE": "sha256:keeper",
        "TRAINER_IMAGE": "sha256:trainer",
        "WEBAPP_IMAGE": "sha256:webapp",
        "DATA_TEMPLATE": "3",
    }


def test_every_image_that_was_not_built_is_named_at_once():
    without = Manifest("abc", {}, MADE.templates, {"keeper": image("keeper")})

    with pytest.raises(Misconfigured) as raised:
        manifest.variables(without)

    assert str(raised.value) == (
        "no image of localstack, trainer, webapp was built; run `make build`"
    )


def test_a_manifest_without_the_template_is_one_of_another_build():
    without = Manifest("abc", {}, {}, MADE.images)

    with pytest.raises(Misconfigured, match=r"names no template data\.yaml; run `make build`"):
        manifest.variables(without)
