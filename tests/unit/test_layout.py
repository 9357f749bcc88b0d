"""Keys: written and read back by the same module, and nothing else is a key."""

import pytest

from chartbuster import layout
from chartbuster.errors import InvalidName

_RAW = layout.RawKey("demo", "my songs.csv.gz")
_UPLOAD = "0" * 64


def test_a_raw_key_reads_back():
    assert str(_RAW) == "datasets/demo/my songs.csv.gz"
    assert layout.RawKey.parse(str(_RAW)) == _RAW


def test_a_ready_key_reads_back():
    ready = layout.ReadyKey(_RAW, _UPLOAD)

    assert str(ready) == f"datasets/demo/my songs.csv.gz/{_UPLOAD}/ready_data.csv"
    assert layout.ReadyKey.parse(str(ready)) == ready


@pytest.mark.parametrize(
    "key",
    [
        "songs.csv",
        "datasets/songs.csv",
        "datasets/demo/a/songs.csv",
        "other/demo/songs.csv",
        "datasets/DEMO/songs.csv",
        "datasets/demo/songs.xlsx",
        "datasets/../songs.csv",
    ],
)
def test_what_is_no_raw_key_says_what_one_looks_like(key):
    with pytest.raises(InvalidName, match="expected"):
        layout.RawKey.parse(key)


def test_what_is_no_ready_key_says_what_one_looks_like():
    with pytest.raises(InvalidName, match=r"ready_data\.csv"):
        layout.ReadyKey.parse(f"datasets/demo/songs.csv/{_UPLOAD}/cleaned_data.csv")
