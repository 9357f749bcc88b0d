"""What the app must never do, held by reading its code, and what its command line says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import webapp
from chartbuster.errors import Misconfigured
from chartbuster.learn import predictor, stored
from webapp import server
from webapp.__main__ import main
from webapp.settings import Settings

RUNS_CODE = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
FOLDER = Path(webapp.__file__).parent
ON_THE_WAY_TO_A_MODEL = [*FOLDER.rglob("*.py"), Path(stored.__file__), Path(predictor.__file__)]
WITHOUT_STREAMLIT = (
    *("states.py", "serving.py", "words.py", "settings.py", "edges.py"),
    *("predict/form.py", "predict/hero.py"),
)


def imported(file: Path) -> Iterator[str]:
    """The top-level names of everything `file` imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module.partition(".")[0]


@pytest.mark.parametrize("file", ON_THE_WAY_TO_A_MODEL, ids=lambda file: file.name)
def test_nothing_on_the_way_to_a_model_can_load_a_pickle(file: Path) -> None:
    assert not RUNS_CODE & set(imported(file))


@pytest.mark.parametrize("name", WITHOUT_STREAMLIT)
def test_what_knows_the_registry_or_the_words_knows_no_streamlit(name: str) -> None:
    assert "streamlit" not in set(imported(FOLDER / name))


def test_the_settings_name_what_is_missing() -> None:
    with pytest.raises(Misconfigured, match=r"RAW_BUCKET.*ARTIFACTS_BUCKET"):
        Settings.from_env({"ARTIFACTS_BUCKET": " ", "READY_BUCKET": "ready"})

    names = {
        "RAW_BUCKET": "raw",
        "READY_BUCKET": "ready",
        "ARTIFACTS_BUCKET": "artifacts",
        "TRAIN_QUEUE_URL": "train",
        "TRAIN_DEAD_LETTER_QUEUE_URL": "dead trainings",
        "LAMBDA_DEAD_LETTER_QUEUE_URL": "dead uploads",
    }
    assert Settings.from_env(names) == Settings(
        raw_bucket="raw",
        ready_bucket="ready",
        artifacts_bucket="artifacts",
        train_queue="train",
        train_dead_letters="dead trainings",
        lambda_dead_letters="dead uploads",
    )


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    assert "example: " in capsys.readouterr().out


@pytest.mark.parametrize("port", ["0", "70000", "http"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--port", port])

    assert ended.value.code == 2
    assert "1 to 65535" in capsys.readouterr().err


def test_the_app_listens_where_it_is_told_and_talks_to_nobody_else() -> None:
    options = server.options("127.0.0.1", 8501)

    assert options["server.address"] == "127.0.0.1"
    assert options["server.port"] == 8501
    assert options["browser.gatherUsageStats"] is False
    assert options["client.showErrorDetails"] == "none"
    assert options["server.fileWatcherType"] == "none"


def test_every_option_is_one_this_streamlit_knows() -> None:
    from streamlit import config

    known = set(config.get_config_options())

    assert not set(server.options("127.0.0.1", 8501)) - known
