"""Models as bytes: skops files under a fixed, reviewed list of types. No pickle is ever loaded.

Equal models give equal bytes: skops names objects by their memory address and stamps its zip
members with the time, so both are replaced before anything is stored.
"""

import io
import json
import zipfile
from typing import Any

import skops.io
from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

from chartbuster.errors import UntrustedModel

ALLOWED = (
    # Our own: means of popularity per artist, and which of two models a song goes to.
    "chartbuster.learn.artists.ArtistHistory",
    "chartbuster.learn.artists.ByArtist",
    # Our own: the mean of what other models say.
    "chartbuster.learn.blend.Blend",
    # Our own: means of popularity per genre, plain numbers and arithmetic.
    "chartbuster.learn.baseline.GenreMeanFeature",
    "chartbuster.learn.baseline.GenreMeanRegressor",
    # The arrays of one gradient boosting tree; `predict` only walks them.
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    # The arrays of one tree of a forest; Cython, rebuilt by its own checks of shape and type.
    "sklearn.tree._tree.Tree",
    # The state of the neural network's optimizer: learning rates and moments, never called again.
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    # A description of numbers in memory, as column transformers keep them.
    "numpy.dtype",
)
"""The only types beyond skops' own list that a stored model may hold, each reviewed."""

LARGEST = 256 * 1024 * 1024
"""Bytes a model may have when unpacked; a member that claims more is not read at all."""

_SCHEMA = "schema.json"
_LARGEST_SCHEMA = 32 * 1024 * 1024
_MOST_MEMBERS = 20_000
_STAMP = (1980, 1, 1, 0, 0, 0)


def dump(model: Any) -> bytes:
    """`model` as a skops file, the same bytes for the same fitted model."""
    written = skops.io.dumps(model)
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(written)) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        schema = json.loads(source.read(_SCHEMA))
        members: dict[str, str] = {}
        _renumber(schema, {}, members)
        for old, new in members.items():
            target.writestr(_member(new), source.read(old))
        target.writestr(_member(_SCHEMA), json.dumps(schema, separators=(",", ":")))
    return packed.getvalue()


def load(body: bytes) -> Any:
    """The model in `body`; raises `UntrustedModel` for anything `dump` would not have written."""
    _check_sizes(body)
    try:
        return skops.io.loads(body, trusted=list(ALLOWED))
    except UntrustedTypesFoundException as error:
        raise UntrustedModel(f"the model file holds types that are not allowed: {error}") from error
    except (
        ArithmeticError,
        AttributeError,
        EOFError,
        ImportError,
        LookupError,
        NotImplementedError,
        RecursionError,
        TypeError,
        UnsupportedTypeException,
        ValueError,
        zipfile.BadZipFile,
    ) as error:
        what = f"{type(error).__name__}: {error}"
        raise UntrustedModel(f"the model file is no readable skops file: {what[:300]}") from error


def _check_sizes(body: bytes) -> None:
    """Refuse what would unpack to more than a model can be, before unpacking any of it."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as members:
            sizes = {info.filename: info.file_size for info in members.infolist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise UntrustedModel(f"the model file is no skops file: {error}") from error
    if _SCHEMA not in sizes:
        raise UntrustedModel(f"the model file has no {_SCHEMA}; expected a skops file")
    if len(sizes) > _MOST_MEMBERS:
        raise UntrustedModel(f"the model file has {len(sizes)} members; at most {_MOST_MEMBERS}")
    if sizes[_SCHEMA] > _LARGEST_SCHEMA:
        raise UntrustedModel(
            f"{_SCHEMA} unpacks to {sizes[_SCHEMA]} bytes; at most {_LARGEST_SCHEMA}"
        )
    if sum(sizes.values()) > LARGEST:
        raise UntrustedModel(
            f"the model file unpacks to {sum(sizes.values())} bytes; at most {LARGEST}"
        )


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _STAMP)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _renumber(node: Any, ids: dict[int, int], members: dict[str, str]) -> None:
    """Replace memory addresses by the order of appearance, in `node` and the names of its files.

    Objects of one address stay one object, because skops tells shared objects by it.
    """
    if isinstance(node, dict):
        if "__id__" in node:
            node["__id__"] = ids.setdefault(node["__id__"], len(ids) + 1)
        if isinstance(name := node.get("file"), str) and "__loader__" in node:
            suffix = name.rpartition(".")[2]
            node["file"] = members.setdefault(name, f"{len(members) + 1}.{suffix}")
        for child in node.values():
            _renumber(child, ids, members)
    elif isinstance(node, list):
        for child in node:
            _renumber(child, ids, members)
