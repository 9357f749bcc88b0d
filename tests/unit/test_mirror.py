from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartbuster.errors import InvalidName
from compose.layout import BUCKETS
from compose.mirror import Fetch, Place, Remove, in_order, in_restore_order, path_of, place_of, plan

# Anything S3 takes: no surrogates, and no more than 1,024 bytes.
KEYS = (
    st.text(st.one_of(st.sampled_from("/.%a-"), st.characters(exclude_categories=["Cs"])))
    .filter(lambda key: 1 <= len(key.encode()) <= 1024)
)  # fmt: skip
PLACES = st.builds(Place, st.sampled_from(BUCKETS), KEYS)

UPLOAD = Place("raw", "datasets/demo/songs.csv")
CURRENT = Place("ready", "datasets/demo/songs.csv/current.json")
REPORT = Place("ready", "datasets/demo/songs.csv/ab12/report.json")
READY = Place("ready", "datasets/demo/songs.csv/ab12/ready_data.csv")
MODEL = Place("artifacts", "runs/77/attempt/models/boosting.skops")
MANIFEST = Place("artifacts", "runs/77/manifest.json")
CHAMPION = Place("artifacts", "champions/demo.json")
DRIFT = Place("artifacts", "drift/demo/cd34.json")
ACTIVE = Place("artifacts", "active.json")


@given(PLACES)
def test_a_file_name_leads_back_to_its_object(place: Place):
    assert place_of(path_of(place)) == place


@given(PLACES, PLACES)
def test_two_objects_share_no_file_and_none_is_a_folder_of_the_other(one: Place, other: Place):
    if one != other:
        path, other_path = path_of(one), path_of(other)
        assert path != other_path
        assert path not in other_path.parents
        assert other_path not in path.parents


def test_an_object_named_like_the_folder_of_another_keeps_a_file_of_its_own():
    for name in ("a", "a.csv", "", ".", "..", "a" * 300, "日" * 300):
        outer, inner = path_of(Place("raw", name)), path_of(Place("raw", f"{name}/b"))
        assert outer not in inner.parents


@given(PLACES)
def test_no_file_name_leads_out_of_its_bucket_or_is_too_long_for_a_disk(place: Place):
    path = path_of(place)
    assert not path.is_absolute()
    assert path.parts[0] == place.bucket
    assert not {".", "..", ""} & set(path.parts)
    assert all(len(part.encode()) <= 255 for part in path.parts)


def test_ordinary_keys_stay_readable():
    assert str(path_of(UPLOAD)) == "raw/datasets/demo/songs.csv"
    assert str(path_of(CHAMPION)) == "artifacts/champions/demo.json"


@pytest.mark.parametrize(
    "name", ["raw/../secrets.csv", "other/a.csv", "raw/datasets/demo/.csv~", "raw/%zz.csv"]
)
def test_a_file_that_no_object_is_kept_under_is_refused(name: str):
    with pytest.raises(InvalidName):
        place_of(PurePosixPath(name))


def test_only_what_changed_is_fetched():
    seen = {UPLOAD: "new", CURRENT: "same", READY: "first"}
    known = {UPLOAD: "old", CURRENT: "same"}
    assert plan(seen, known) == (Fetch(UPLOAD, "new"), Fetch(READY, "first"))


def test_an_object_of_unknown_version_is_looked_at_again():
    assert plan({UPLOAD: "e"}, {UPLOAD: None}) == (Fetch(UPLOAD, "e"),)


def test_nothing_to_do_is_an_empty_plan():
    assert plan({UPLOAD: "e"}, {UPLOAD: "e"}) == ()


def test_what_is_gone_is_forgotten_with_the_effects_before_their_causes():
    known = dict.fromkeys([UPLOAD, READY, CHAMPION, MANIFEST], "e")
    gone = [CHAMPION, MANIFEST, READY, UPLOAD]
    assert plan({}, known) == tuple(Remove(place) for place in gone)


def test_causes_are_kept_before_their_effects():
    shuffled = [ACTIVE, DRIFT, CHAMPION, MANIFEST, READY, MODEL, CURRENT, REPORT, UPLOAD]
    expected = [UPLOAD, CURRENT, READY, REPORT, MODEL, MANIFEST, CHAMPION, DRIFT, ACTIVE]
    assert in_order(shuffled) == expected


def test_everything_is_put_back_before_the_object_whose_event_would_make_it():
    shuffled = [UPLOAD, READY, ACTIVE, CURRENT, MANIFEST, MODEL, CHAMPION, REPORT]
    expected = [MODEL, MANIFEST, CHAMPION, ACTIVE, CURRENT, READY, REPORT, UPLOAD]
    assert in_restore_order(shuffled) == expected
