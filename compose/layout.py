"""Where the embedded stack keeps things and where it listens; nothing here touches the disk.

.stack/state     the objects of the three buckets: the only thing that outlives the stack
.stack/logs      one log per component, rotated by size
.stack/run       what supervisor runs and how, the keeper's report, the control socket
.stack/tmp       temporary files, .stack/cache and .stack/home what programs keep for themselves
.stack/localstack  LocalStack's own files, worth nothing once it has stopped
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chartbuster.errors import Misconfigured

HOST = "127.0.0.1"
REGION = "us-east-1"
ACCOUNT = "000000000000"
STAGE = "local"
BUCKETS = ("raw", "ready", "artifacts")

_DEFAULT_PORTS = {"LOCALSTACK_PORT": 4566, "WEB_PORT": 8501}


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout; `root` is absolute and holds the Makefile."""

    root: Path

    @property
    def stack(self) -> Path:
        """Everything the embedded stack writes is under here."""
        return self.root / ".stack"

    @property
    def state(self) -> Path:
        return self.stack / "state"

    @property
    def logs(self) -> Path:
        return self.stack / "logs"

    @property
    def run(self) -> Path:
        return self.stack / "run"

    @property
    def composition(self) -> Path:
        """What the running stack was started from."""
        return self.run / "composition.json"

    @property
    def report(self) -> Path:
        """How far the keeper is."""
        return self.run / "keeper.json"

    @property
    def outputs(self) -> Path:
        """The names and addresses of the stack; there once the keeper has restored the state."""
        return self.stack / "outputs.json"

    @property
    def localstack_home(self) -> Path:
        """LocalStack's own files, worth nothing once it has stopped."""
        return self.stack / "localstack"

    @property
    def lambda_zip(self) -> Path:
        return self.root / "build" / "create_data.zip"

    @property
    def demo_catalogue(self) -> Path:
        return self.root / "build" / "demo_catalogue.csv.gz"

    @property
    def lambda_runtime(self) -> Path:
        return self.root / "build" / "lambda-runtime"

    @property
    def localstack_launcher(self) -> Path:
        return self.root / "compose" / "localstack" / "launch.py"

    def environment(self, name: str) -> Path:
        """The virtual environment `name`: emulator, trainer, webapp or scripts."""
        return self.root / ".venv" / name

    def python(self, name: str) -> Path:
        """The interpreter of the environment `name`."""
        return self.environment(name) / "bin" / "python"

    def packages(self, name: str) -> Path:
        """Where the environment `name` has its packages, our wheel's among them."""
        return self.environment(name) / "lib" / "python3.13" / "site-packages"


@dataclass(frozen=True)
class Ports:
    """Where LocalStack and the app listen, on 127.0.0.1."""

    localstack: int = _DEFAULT_PORTS["LOCALSTACK_PORT"]
    web: int = _DEFAULT_PORTS["WEB_PORT"]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Ports":
        """The ports of LOCALSTACK_PORT and WEB_PORT; raises `Misconfigured` naming all faults."""
        ports, faults = dict[str, int](), []
        for name, default in _DEFAULT_PORTS.items():
            text = env.get(name) or str(default)
            if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
                ports[name] = int(text)
            else:
                faults.append(f"{name}={text!r} is no port; expected a number from 1 to 65535")
        if not faults and len(set(ports.values())) < len(ports):
            both = " and ".join(ports)
            faults.append(f"{both} are both {ports['WEB_PORT']}; expected two different ports")
        if faults:
            raise Misconfigured("; ".join(faults))
        return cls(localstack=ports["LOCALSTACK_PORT"], web=ports["WEB_PORT"])

    @property
    def endpoint(self) -> str:
        """Where LocalStack answers."""
        return f"http://{HOST}:{self.localstack}"

    @property
    def web_url(self) -> str:
        """Where the app answers."""
        return f"http://{HOST}:{self.web}"

    def named(self) -> tuple[tuple[str, int], ...]:
        """Each port with the variable that sets it."""
        return (("LOCALSTACK_PORT", self.localstack), ("WEB_PORT", self.web))


def bucket(role: str, stage: str = STAGE) -> str:
    """The name of the bucket for a role of `BUCKETS`, as `infra/data.yaml` makes it."""
    return f"chartbuster-{stage}-{ACCOUNT}-{role}"


def expected_outputs(endpoint: str, stage: str = STAGE) -> dict[str, str]:
    """What the stack's outputs will be: the names follow from the template.

    So every program can start at the same time as LocalStack; the keeper holds the real outputs
    against these.
    """
    queues = f"{endpoint}/{ACCOUNT}/chartbuster-{stage}"
    return {
        "RawBucket": bucket("raw", stage),
        "ReadyBucket": bucket("ready", stage),
        "ArtifactsBucket": bucket("artifacts", stage),
        "QueueUrl": f"{queues}-train",
        "TrainDeadLetterQueueUrl": f"{queues}-train-dead-letters",
        "LambdaDeadLetterQueueUrl": f"{queues}-create-data-dead-letters",
        "FunctionName": f"chartbuster-{stage}-create-data",
    }
