"""A model file is believed only if it is a skops file of allowed types and of a sane size."""

import datetime as dt
import io
import json
import pickle
import subprocess
import zipfile

import pytest
import skops.io

from chartbuster.errors import UntrustedModel
from chartbuster.learn import stored
from chartbuster.learn.baseline import GenreMeanRegressor

MODEL = GenreMeanRegressor().fit([[1, 0], [0, 1]], [10, 20])


def members(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as source:
        return {name: source.read(name) for name in source.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, body in files.items():
            target.writestr(name, body)
    return out.getvalue()


def with_schema(change: dict[str, object]) -> bytes:
    files = members(stored.dump(MODEL))
    schema = json.loads(files["schema.json"]) | change
    return packed(files | {"schema.json": json.dumps(schema).encode()})


def test_what_dump_writes_load_reads() -> None:
    assert stored.load(stored.dump(MODEL)).predict([[0, 1]]) == MODEL.predict([[0, 1]])


def test_equal_models_give_equal_bytes_and_another_gives_others() -> None:
    again = GenreMeanRegressor().fit([[1, 0], [0, 1]], [10, 20])
    other = GenreMeanRegressor().fit([[1, 0], [0, 1]], [10, 21])

    assert stored.dump(again) == stored.dump(MODEL)
    assert stored.dump(other) != stored.dump(MODEL)


class Bomb:
    """What a pickle can do when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('the pickle ran')",)


def test_a_pickle_is_not_loaded() -> None:
    with pytest.raises(UntrustedModel, match="no skops file"):
        stored.load(pickle.dumps(Bomb()))


def test_a_pickle_smuggled_into_a_skops_file_as_an_array_is_not_loaded() -> None:
    files = members(stored.dump(MODEL))
    array = next(name for name in files if name.endswith(".npy"))
    # numpy stores arrays of objects as a pickle behind an honest header.
    header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    smuggled = header.ljust(127) + b"\n" + pickle.dumps(Bomb())

    with pytest.raises(UntrustedModel):
        stored.load(packed(files | {array: smuggled}))


@pytest.mark.parametrize("smuggled", [subprocess.Popen, dt.datetime(2020, 1, 1), print], ids=repr)
def test_types_beyond_the_list_are_refused_by_name(smuggled: object) -> None:
    model = GenreMeanRegressor().fit([[1]], [1])
    model.extra_ = smuggled
    try:
        body = skops.io.dumps(model)
    except TypeError:
        pytest.skip("skops cannot even write it")

    with pytest.raises(UntrustedModel, match="not allowed"):
        stored.load(body)


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": 99},
        {"protocol": "x"},
        {"__loader__": "NoSuchNode"},
        {"__class__": "NoSuchClass"},
        {"__module__": "no.such.module"},
        {"content": 5},
    ],
    ids=str,
)
def test_a_schema_that_dump_would_not_write_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UntrustedModel):
        stored.load(with_schema(change))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"PK\x03\x04 cut",
        packed({"other.json": b"{}"}),
        packed({"schema.json": b"{cut"}),
        packed({"schema.json": b"[" * 100_000}),
        packed({"schema.json": b"[]"}),
        stored.dump(MODEL)[:-30],
    ],
    ids=["empty", "cut zip", "no schema", "cut schema", "deep", "a list", "cut end"],
)
def test_what_is_no_skops_file_is_refused(body: bytes) -> None:
    with pytest.raises(UntrustedModel):
        stored.load(body)


def test_what_unpacks_to_too_much_is_refused_before_it_is_read() -> None:
    claims = packed({"schema.json": b" " * (33 * 1024 * 1024)})

    with pytest.raises(UntrustedModel, match="at most"):
        stored.load(claims)


def test_a_file_of_too_many_members_is_refused() -> None:
    many = {f"{n}.npy": b"" for n in range(20_001)}

    with pytest.raises(UntrustedModel, match="members"):
        stored.load(packed({"schema.json": b"{}"} | many))
