"""The Lambda's zip: what goes in, that it depends on nothing else, and AWS's limits."""

import io
import subprocess
import sys
import zipfile

import pytest

from scripts import build_zip
from scripts.build_zip import (
    MOST_UNPACKED,
    MOST_ZIPPED,
    BuildError,
    belongs,
    check_limits,
    collect,
    compile_all,
    is_ours,
    wheel_platform,
    zipped,
)


@pytest.mark.parametrize(
    "name",
    [
        "pandas/core/frame.py",
        "numpy/_core/_multiarray_umath.cpython-313-x86_64-linux-gnu.so",
        "numpy.libs/libscipy_openblas64_.so",
        "pandas-3.1.1.dist-info/METADATA",
        "pandas-3.1.1.dist-info/licenses/LICENSE",
        "tzdata/zoneinfo/Europe/Berlin",
    ],
)
def test_what_runs_and_its_licences_belong(name):
    assert belongs(name)


@pytest.mark.parametrize(
    "name",
    [
        "pandas/tests/frame/test_api.py",
        "pandas/__init__.pyi",
        "numpy/__pycache__/x.cpython-313.pyc",
        "bin/f2py",
        "numpy/_core/include/numpy/arrayobject.h",
        "numpy-2.5.5.dist-info/RECORD",
        ".lock",
    ],
)
def test_what_only_developers_need_does_not(name):
    assert not belongs(name)


def test_the_domain_goes_without_its_learning_half_and_its_demo():
    assert is_ours("chartbuster/features.py")
    assert is_ours("lambdas/create_data/handler.py")
    assert not is_ours("chartbuster/learn/models.py")
    assert not is_ours("chartbuster/demo/figures.py")
    assert not is_ours("lambdas/create_data/requirements.txt")
    assert not is_ours("trainer/worker.py")


def test_the_order_of_the_files_does_not_show_in_the_zip():
    files = {"b.py": b"two", "a.py": b"one"}
    assert zipped(files) == zipped(dict(reversed(files.items())))


def test_every_entry_has_the_same_time_mode_and_system():
    with zipfile.ZipFile(io.BytesIO(zipped({"b.py": b"", "a/c.py": b""}))) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == ["a/c.py", "b.py"]
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.create_system for entry in entries} == {3}
    # Everybody may read it: AWS runs the function as another user.
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_two_folders_with_the_same_sources_give_the_same_byte_code(tmp_path):
    """It is taken without a look at its source, and names the folder AWS unpacks to."""
    built = []
    for name in ("first", "a/much/longer/second"):
        packages, content = tmp_path / name / "packages", tmp_path / name / "content"
        (packages / "thing").mkdir(parents=True)
        (packages / "thing" / "__init__.py").write_text("WORDS = {'a', 'b', 'c'}\n")
        root = tmp_path / name / "root"
        (root / "chartbuster").mkdir(parents=True)
        (root / "chartbuster" / "songs.py").write_text("def f():\n    return 1\n")
        collect(content, packages=packages, root=root)
        compile_all(content)
        built.append(
            {
                path.relative_to(content).as_posix(): path.read_bytes()
                for path in content.rglob("*")
                if path.is_file()
            }
        )
    assert built[0] == built[1]
    byte_code = built[0]["chartbuster/__pycache__/songs.cpython-313.pyc"]
    assert byte_code[4:8] == b"\x01\0\0\0"  # hash-based, not checked
    assert b"/var/task/chartbuster/songs.py" in byte_code


def test_a_source_that_does_not_compile_stops_the_build(tmp_path):
    (tmp_path / "broken.py").write_text("def (:\n")
    with pytest.raises(BuildError, match=r"broken\.py"):
        compile_all(tmp_path)


def test_aws_limits_are_checked_at_the_byte():
    check_limits(zip_size=MOST_ZIPPED, unpacked=MOST_UNPACKED)
    with pytest.raises(BuildError, match=r"the zip has 50\.0 MiB"):
        check_limits(zip_size=MOST_ZIPPED + 1, unpacked=0)
    with pytest.raises(BuildError, match="unpacks to"):
        check_limits(zip_size=0, unpacked=MOST_UNPACKED + 1)


def test_the_architecture_is_named_as_hosts_and_as_wheels_name_it():
    assert wheel_platform("x86_64") == "x86_64-manylinux_2_28"
    assert wheel_platform("arm64") == wheel_platform("aarch64") == "aarch64-manylinux_2_28"
    assert wheel_platform("aarch64-manylinux_2_28") == "aarch64-manylinux_2_28"
    with pytest.raises(BuildError, match="riscv64"):
        wheel_platform("riscv64")


def test_a_failing_installation_leaves_the_old_zip(tmp_path):
    out = tmp_path / "create_data.zip"
    out.write_bytes(b"the old one")
    with pytest.raises(BuildError, match="installed"):
        build_zip.build(out, uv="false", wheels="x86_64-manylinux_2_28")
    assert out.read_bytes() == b"the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["create_data.zip"]


def test_help_shows_an_example():
    done = subprocess.run(
        [sys.executable, "-m", "scripts.build_zip", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=build_zip.ROOT,
    )
    assert "example: python -m scripts.build_zip" in done.stdout
