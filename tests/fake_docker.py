"""A `docker` of a test's own: a small program on a PATH of its own that says what it is told."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

LOCAL = "unix:///var/run/docker.sock"


@dataclass
class FakeDocker:
    """A folder with a `docker` in it; an answer given later is tried before earlier ones."""

    folder: Path
    _answers: list[str] = field(default_factory=list)

    @property
    def environ(self) -> dict[str, str]:
        """An environment in which this is the only `docker`."""
        return {"PATH": str(self.folder / "bin")}

    @property
    def calls(self) -> list[str]:
        """What it was asked, in order."""
        asked = self.folder / "calls"
        return asked.read_text().splitlines() if asked.exists() else []

    def forget_calls(self) -> None:
        (self.folder / "calls").unlink(missing_ok=True)

    def says(self, question: str, out: str = "", *, err: str = "", code: int = 0) -> None:
        """Answer every call that begins with `question`."""
        said = self.folder / f"answer-{len(self._answers)}"
        said.parent.mkdir(parents=True, exist_ok=True)
        said.write_text(out)
        self.does(
            question,
            f"/bin/cat {shlex.quote(str(said))}; echo {shlex.quote(err)} >&2; exit {code}",
        )

    def does(self, question: str, script: str) -> None:
        """Run the shell's `script` for every call that begins with `question`."""
        self._answers.insert(0, f"  {shlex.quote(question)}*) {script} ;;")
        program = self.folder / "bin" / "docker"
        program.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            "#!/bin/sh",
            f'echo "$*" >> {shlex.quote(str(self.folder / "calls"))}',
            'case "$*" in',
            *self._answers,
            '  *) echo "nobody told this docker about: $*" >&2; exit 3 ;;',
            "esac",
        ]
        program.write_text("\n".join(lines) + "\n")
        program.chmod(0o755)

    def is_an_engine(self, *, version: str = "26.1.5+dfsg1", compose: str = "v2.26.1") -> None:
        """Answer as the client of an engine of this machine."""
        self.says("context inspect", f"{LOCAL}\n")
        self.says("version", f'{{"Client":{{}},"Server":{{"Version":"{version}"}}}}\n')
        self.says("compose version", f"{compose}\n")
