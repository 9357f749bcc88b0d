"""The README and its companions name only what there is."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/aws.md", "docs/science.md")
_MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
_QUOTED = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#]+)\)")
_VARIABLE = re.compile(r"\b([A-Z][A-Z_]{2,})=")


def _text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def _targets() -> set[str]:
    makefile = _text("Makefile")
    return set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE))


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_every_make_target_it_names_exists(document):
    code = re.findall(r"`(make [^`]+)`|^ {4}(?:\S+=\S+ )*(make .*)$", _text(document), re.MULTILINE)
    named = {name for pair in code for line in pair for name in _MAKE.findall(line)}

    assert named <= _targets(), f"unknown: {sorted(named - _targets())}"


def test_the_readme_names_a_good_part_of_the_targets():
    assert {"up", "down", "demo", "predict", "test"} <= set(_MAKE.findall(_text("README.md")))


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_every_path_it_names_exists(document):
    quoted = {text for text in _QUOTED.findall(_text(document)) if re.fullmatch(r"[\w./-]+/", text)}
    linked = {link for link in _LINK.findall(_text(document)) if "://" not in link}

    # What is quoted is seen from the checkout, what is linked from the document.
    missing = {path for path in quoted if not (ROOT / path).exists()}
    missing |= {link for link in linked if not ((ROOT / document).parent / link).exists()}
    made = {".stack/"}  # is there once the stack was up
    assert missing <= made, f"missing: {sorted(missing - made)}"


def test_every_folder_of_the_map_is_one_and_no_folder_is_left_out():
    table = set(re.findall(r"^\| `(\w+)/` \|", _text("README.md"), re.MULTILINE))
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = {path.split("/")[0] for path in listed if "/" in path and not path.startswith(".")}

    assert table == folders - {"docs"}


def test_every_program_behind_a_target_answers_help_with_an_example():
    modules = sorted(set(re.findall(r"-m (scripts\.\w+|chartbuster\.demo)", _text("Makefile"))))
    modules += ["trainer", "trainer.train_model", "trainer.evaluate_performance"]
    modules += ["trainer.score_model", "webapp", "compose.keeper", "compose.guard"]
    assert len(modules) > 20
    for module in modules:
        done = subprocess.run(
            [sys.executable, "-m", module, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{module}: {done.stderr}"
        assert re.search(r"^example: \S", done.stdout, re.MULTILINE), f"{module} has no example"


def test_every_variable_the_readme_sets_is_read_by_the_makefile_or_a_program():
    known = _text("Makefile") + _text("compose/layout.py") + _text("CONTRIBUTING.md")
    for name in _VARIABLE.findall(_text("README.md")):
        assert name in known, name


def test_the_song_of_the_readme_is_json():
    (song,) = re.findall(r"make predict SONG='([^']+)'", _text("README.md"))
    assert json.loads(song) == {"genre": "Pop", "danceability": 0.7}


def test_locks_hold_hashes_and_no_address():
    locks = [
        path
        for path in ROOT.glob("*/**/*.txt")
        if path.stem in {"requirements", "tools", "runtime"}
    ]
    locks = [
        path for path in locks if not path.relative_to(ROOT).parts[0].startswith((".", "build"))
    ]
    assert len(locks) >= 8
    for path in locks:
        text = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|--index-url|--find-links|file://", text), path
