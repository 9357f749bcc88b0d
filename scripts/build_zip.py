"""Builds the Lambda's zip: the same sources and the same lock give the same bytes.

Inside are the locked packages without what only developers need, the domain without its learning
half, its demo and its model cards, and the function. Byte code is shipped, since AWS unpacks to a
read-only folder where it could not be kept and would cost every cold start seconds. boto3 comes
with the runtime.
"""

import argparse
import compileall
import io
import os
import platform
import py_compile
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
REQUIREMENTS = "lambdas/create_data/requirements.txt"
TASK_FOLDER = "/var/task"
"""Where AWS unpacks a function, and so the folder its tracebacks name."""

MOST_ZIPPED = 50 * 2**20
MOST_UNPACKED = 250 * 2**20
"""AWS's limits for a zip that is uploaded directly, and for what it unpacks to."""

_PYTHON = "3.13"
_PLATFORMS = {
    "x86_64": "x86_64-manylinux_2_28",
    "amd64": "x86_64-manylinux_2_28",
    "aarch64": "aarch64-manylinux_2_28",
    "arm64": "aarch64-manylinux_2_28",
}
_FOLDERS_LEFT_OUT = frozenset({"tests", "__pycache__", "bin", "include"})
_FILES_LEFT_OUT = ("*.pyi", "*.pyc", "*.pxd", "*.pyx", "*.h", "*.a", "*.c", "py.typed", ".lock")
# Licences must go where their code goes; METADATA answers whoever asks for a version.
_DIST_INFO_KEPT = ("METADATA", "licenses/*", "LICENSE*", "LICENCE*", "NOTICE*", "COPYING*")
_OURS = ("chartbuster", "lambdas")
_OURS_LEFT_OUT = ("chartbuster/learn/*", "chartbuster/demo/*", "chartbuster/card/*")


class BuildError(Exception):
    """The zip cannot be built, or not within AWS's limits."""


def belongs(name: str) -> bool:
    """Whether the installed file `name`, relative to the zip's root, is needed at run time."""
    path = PurePosixPath(name)
    package = path.parts[0]
    if package.endswith(".dist-info"):
        inner = "/".join(path.parts[1:])
        return any(fnmatch(inner, pattern) for pattern in _DIST_INFO_KEPT)
    if _FOLDERS_LEFT_OUT.intersection(path.parts[:-1]):
        return False
    return not any(fnmatch(path.name, pattern) for pattern in _FILES_LEFT_OUT)


def is_ours(name: str) -> bool:
    """Whether the source file `name`, relative to the repository, goes into the zip."""
    if any(fnmatch(name, pattern) for pattern in _OURS_LEFT_OUT):
        return False
    return name.endswith(".py") and name.startswith(tuple(f"{folder}/" for folder in _OURS))


def wheel_platform(machine: str) -> str:
    """The wheels for `machine`, an architecture's name or already a name of wheels."""
    if machine in _PLATFORMS.values():
        return machine
    try:
        return _PLATFORMS[machine.lower()]
    except KeyError:
        raise BuildError(
            f"no Lambda runs on {machine!r}; expected one of {', '.join(sorted(_PLATFORMS))}"
        ) from None


def install_command(uv: str, *, wheels: str, target: Path, lock: Path) -> list[str]:
    """The call of uv that installs the lock's wheels for any platform into `target`."""
    return [
        *(uv, "pip", "install", "--quiet", "--target", str(target)),
        *("--python", sys.executable, "--python-version", _PYTHON, "--python-platform", wheels),
        *("--only-binary", ":all:", "--require-hashes", "--no-compile-bytecode"),
        *("--requirements", str(lock)),
    ]


def collect(folder: Path, *, packages: Path, root: Path) -> None:
    """Copy into `folder` what belongs into the zip of `packages` and of the sources in `root`."""
    for source in _files(packages):
        name = source.relative_to(packages).as_posix()
        if belongs(name):
            _copy(source, folder / name)
    for top in _OURS:
        for source in _files(root / top):
            name = source.relative_to(root).as_posix()
            if is_ours(name):
                _copy(source, folder / name)


def compile_all(folder: Path) -> None:
    """Add byte code that is used without looking at its source and holds no path of this machine.

    A process of its own with a fixed hash seed: what was imported before, and in which order sets
    are walked, would otherwise show in the bytes.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", __file__, "--compile", str(folder)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BuildError(f"byte code could not be made:\n{done.stdout}{done.stderr}")


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of `files` that depends on nothing but their names and contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever system builds it
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name], compresslevel=9)
    return out.getvalue()


def check_limits(*, zip_size: int, unpacked: int) -> None:
    """Raise `BuildError` when AWS would not take a zip of these sizes in bytes."""
    for what, size, most in (
        ("the zip", zip_size, MOST_ZIPPED),
        ("what it unpacks to", unpacked, MOST_UNPACKED),
    ):
        if size > most:
            raise BuildError(f"{what} has {_mib(size)}; AWS takes at most {_mib(most)}")


def build(out: Path, *, uv: str, wheels: str, root: Path = ROOT) -> str:
    """Build the zip at `out`, replacing it in one step; returns its sizes in words."""
    with tempfile.TemporaryDirectory(prefix="chartbuster-zip-") as temporary:
        packages, content = Path(temporary, "packages"), Path(temporary, "content")
        command = install_command(uv, wheels=wheels, target=packages, lock=root / REQUIREMENTS)
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"the packages could not be installed:\n{done.stderr}")
        collect(content, packages=packages, root=root)
        compile_all(content)
        files = {
            path.relative_to(content).as_posix(): path.read_bytes() for path in _files(content)
        }
    body = zipped(files)
    unpacked = sum(map(len, files.values()))
    byte_code = sum(len(held) for name, held in files.items() if name.endswith(".pyc"))
    check_limits(zip_size=len(body), unpacked=unpacked)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f"{out.name}.unfinished")
    unfinished.write_bytes(body)
    unfinished.replace(out)
    return (
        f"{out}: {_mib(len(body))} of at most {_mib(MOST_ZIPPED)}; unpacked {_mib(unpacked)} of at "
        f"most {_mib(MOST_UNPACKED)}, {_mib(byte_code)} of it byte code"
    )


def _compile(folder: Path) -> bool:
    """Compile every source below `folder`, one after another in a fixed order."""
    return all(
        compileall.compile_file(
            path,
            ddir=None,
            force=True,
            quiet=1,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            stripdir=str(folder),
            prependdir=TASK_FOLDER,
        )
        for path in _files(folder)
        if path.suffix == ".py"
    )


def _files(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m scripts.build_zip --uv .tools/bin/uv --platform arm64",
    )
    parser.add_argument("--uv", default="uv", help="the uv to call (default: %(default)s)")
    parser.add_argument(
        "--platform",
        default=platform.machine(),
        help="the architecture the function runs on (default: this machine's, %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / "build" / "create_data.zip",
        help="where the zip goes (default: build/create_data.zip)",
    )
    parser.add_argument("--compile", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.compile:
        return 0 if _compile(options.compile) else 1
    try:
        print(build(options.out, uv=options.uv, wheels=wheel_platform(options.platform)))
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
