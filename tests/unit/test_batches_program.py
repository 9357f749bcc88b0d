"""A scored file is there whole or not at all, and its progress is told to people, not to files."""

import io
import sys
from pathlib import Path

import pytest

from chartbuster.batches import Tally
from chartbuster.errors import Misconfigured
from chartbuster.writing import written_whole
from compose.composed import Composed
from scripts.score import Asked, command, command_in, score
from trainer.score_model import Progress, summary

COPY = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"
FAIL = "import sys; sys.stdout.write('half'); sys.stdout.flush(); sys.exit(3)"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    path = tmp_path / "songs.csv"
    path.write_text("title,energy\nA,0.5\n")
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_program_reads_the_file_and_writes_what_becomes_the_answer(songs: Path) -> None:
    out = songs.with_name("scored.csv")

    assert score(songs, out, python(COPY), {}) == 0
    assert out.read_text() == songs.read_text()
    assert names(songs.parent) == ["scored.csv", "songs.csv"]


def test_when_the_program_fails_nothing_is_left_and_what_was_there_stays(songs: Path) -> None:
    out = songs.with_name("scored.csv")

    assert score(songs, out, python(FAIL), {}) == 3
    assert names(songs.parent) == ["songs.csv"]
    out.write_text("earlier")
    assert score(songs, out, python(FAIL), {}) == 3
    assert out.read_text() == "earlier"
    assert names(songs.parent) == ["scored.csv", "songs.csv"]


def test_nothing_is_under_the_name_until_all_is_written(tmp_path: Path) -> None:
    out = tmp_path / "scored.csv"
    with written_whole(out) as file:
        file.write(b"half")
        file.flush()
        assert not out.exists()
    assert out.read_bytes() == b"half"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, OSError])
def test_an_interruption_leaves_nothing(tmp_path: Path, interruption: type[BaseException]) -> None:
    def interrupted() -> None:
        with written_whole(tmp_path / "scored.csv") as file:
            file.write(b"half")
            raise interruption

    with pytest.raises(interruption):
        interrupted()
    assert names(tmp_path) == []


def test_the_file_to_score_is_never_written_over(songs: Path) -> None:
    before = songs.read_text()
    with pytest.raises(Misconfigured, match="is the file to score"):
        score(songs, songs.parent / "." / "songs.csv", python(COPY), {})
    assert songs.read_text() == before


def test_files_that_cannot_be_read_or_made_are_named(songs: Path) -> None:
    with pytest.raises(Misconfigured, match=r"DATA='/no/songs.csv' cannot be read \(No such"):
        score(Path("/no/songs.csv"), songs.with_name("out.csv"), python(COPY), {})
    with pytest.raises(Misconfigured, match=r"OUT='.*/no/out.csv' cannot be written \(No such"):
        score(songs, songs.parent / "no" / "out.csv", python(COPY), {})
    assert names(songs.parent) == ["songs.csv"]


def test_the_same_program_answers_in_both_modes_through_standard_input_and_output() -> None:
    asked = Asked(dataset="mine", model="forest")
    here = command(asked)
    there = command_in(Composed(Path("/checkout"), {}), asked)

    program = ["-m", "trainer.score_model", "--data", "-", "--out", "-"]
    assert here[1:] == [*program, "--dataset", "mine", "--model", "forest"]
    assert there[-len(here) :] == ["python", *here[1:]]
    assert there[there.index("exec") :][:3] == ["exec", "-T", "trainer"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_and_a_line_now_and_then_elsewhere(songs: Path) -> None:
    for told, lines in ((Terminal(), 0), (io.StringIO(), 1)):
        with songs.open("rb") as file:
            progress = Progress(file, told, monotonic=iter([0.0, 1.0, 11.0]).__next__)
            file.read(10)
            progress(Tally(rows=1_000))
            progress(Tally(rows=22_000))
        assert told.getvalue().endswith("53%, 22,000 rows, 2,000 a second" + "\n" * lines)
        assert told.getvalue().count("\n") == lines


def test_the_last_word_names_the_commonest_reasons_first() -> None:
    tally = Tally(rows=30, rejected=7, assumed=2)
    tally.causes.update({"tempo is not 20 to 300 beats per minute": 2, "energy is not 0 to 1": 5})
    tally.unknown_genres.update({"Gabber": 4})

    said = summary(tally, 1.0)
    assert "30 rows in 1.0 s: 23 scored, 2 of them with assumptions, 7 rejected" in said
    assert said.index("energy is not") < said.index("tempo is not")
    assert "4  Gabber" in said
