"""The benchmark of learning times both fits on the same songs."""

from pathlib import Path

import pytest

from scripts.bench_learn import boosting, draw, forest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("bench")
    assert draw(made, 1_500)["songs"] == 1_500
    return made


def test_both_fits_are_timed_and_more_trees_take_longer(folder):
    few, many = (forest(folder, trees)["seconds"] for trees in (2, 20))
    assert 0 < few < many
    assert boosting(folder)["seconds"] > 0
