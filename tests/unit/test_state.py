from pathlib import Path

import pytest

from compose.mirror import Place
from compose.state import CannotKeep, StateFolder, StateUnusable

UPLOAD = Place("raw", "datasets/demo/songs.csv")
NESTED = Place("raw", "datasets/demo/songs.csv/odd")


def test_what_was_kept_is_read_again_by_the_next_one(tmp_path: Path):
    StateFolder(tmp_path).keep(UPLOAD, b"songs")
    StateFolder(tmp_path).keep(NESTED, b"odd")
    state = StateFolder(tmp_path)
    assert set(state.places()) == {UPLOAD, NESTED}
    assert state.read(UPLOAD) == b"songs"
    assert state.read(NESTED) == b"odd"


def test_forgetting_leaves_no_empty_folders(tmp_path: Path):
    state = StateFolder(tmp_path)
    state.keep(UPLOAD, b"songs")
    state.forget(UPLOAD)
    state.forget(UPLOAD)
    assert list((tmp_path / "raw").iterdir()) == []


def test_equal_bytes_are_not_written_again(tmp_path: Path):
    state = StateFolder(tmp_path)
    state.keep(UPLOAD, b"songs")
    before = (tmp_path / "raw/datasets/demo/songs.csv").stat().st_ino
    state.keep(UPLOAD, b"songs")
    assert (tmp_path / "raw/datasets/demo/songs.csv").stat().st_ino == before


def test_what_a_crash_left_half_written_is_no_object(tmp_path: Path):
    state = StateFolder(tmp_path)
    (tmp_path / ".partial").mkdir()
    (tmp_path / ".partial" / "object").write_bytes(b"hal")
    assert list(state.places()) == []
    state.keep(UPLOAD, b"whole")
    assert state.read(UPLOAD) == b"whole"


def test_a_state_is_new_until_it_has_begun_even_when_all_objects_are_gone_again(tmp_path: Path):
    state = StateFolder(tmp_path / "state")
    assert state.is_new()
    state.begin()
    state.begin()
    assert not StateFolder(tmp_path / "state").is_new()


def test_a_state_with_objects_is_not_new_though_its_beginning_was_cut_off(tmp_path: Path):
    StateFolder(tmp_path).keep(UPLOAD, b"songs")
    assert not StateFolder(tmp_path).is_new()


@pytest.mark.parametrize("text", ['{"format": 2}', "not json", "[]"])
def test_the_state_of_another_version_is_refused_and_left_alone(tmp_path: Path, text: str):
    (tmp_path / "about.json").write_text(text)
    with pytest.raises(StateUnusable, match="this version keeps format 1"):
        StateFolder(tmp_path).is_new()


def test_a_disk_that_takes_nothing_is_named_with_the_file(tmp_path: Path):
    (tmp_path / "raw").write_text("a file where a folder should be")
    with pytest.raises(CannotKeep, match=r"songs\.csv.*Not a directory"):
        StateFolder(tmp_path).keep(UPLOAD, b"songs")


def test_a_kept_object_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(StateUnusable, match=r"raw/datasets/demo/songs\.csv"):
        StateFolder(tmp_path).read(UPLOAD)
