"""The environment of the stack's programs: a short list of what comes along, and what is set.

The person's own AWS settings, proxies and secrets never reach a program of the stack.
"""

from collections.abc import Mapping

from compose.layout import REGION, Layout

MARK = "CHARTBUSTER_STACK"
"""In the environment of every program of a stack: the absolute path of its .stack folder."""

_KEPT = frozenset(
    {
        *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH"),
        # Which numeric kernels are right for this processor, where somebody had to say so.
        *("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
    }
)


def local_aws(endpoint: str) -> dict[str, str]:
    """What sends an AWS SDK to LocalStack, with credentials that look as fake as they are."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        # A person's profiles may name other regions, endpoints and accounts.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def of_services(endpoint: str, outputs: Mapping[str, str]) -> dict[str, str]:
    """The settings of the trainer and the app over the stack's `outputs`, as on AWS."""
    return {
        **local_aws(endpoint),
        "RAW_BUCKET": outputs["RawBucket"],
        "READY_BUCKET": outputs["ReadyBucket"],
        "ARTIFACTS_BUCKET": outputs["ArtifactsBucket"],
        "TRAIN_QUEUE_URL": outputs["QueueUrl"],
        "TRAIN_DEAD_LETTER_QUEUE_URL": outputs["TrainDeadLetterQueueUrl"],
        "LAMBDA_DEAD_LETTER_QUEUE_URL": outputs["LambdaDeadLetterQueueUrl"],
    }


def kept(environ: Mapping[str, str]) -> dict[str, str]:
    """What of the caller's environment is passed on."""
    return {name: value for name, value in sorted(environ.items()) if name in _KEPT}


def of_program(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that only talks to LocalStack and writes nothing."""
    home = environ.get("HOME")
    return kept(environ) | ({"HOME": home} if home else {})


def without_own_aws(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without the person's AWS settings and proxies, for a program beside the stack."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    } | {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


def of_stack(layout: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """What all supervised programs share: whatever they write lands under .stack."""
    return {
        **kept(environ),
        MARK: str(layout.stack),
        "HOME": str(layout.stack / "home"),
        "TMPDIR": str(layout.stack / "tmp"),
        "XDG_CACHE_HOME": str(layout.stack / "cache"),
        "XDG_CONFIG_HOME": str(layout.stack / "home" / ".config"),
        "XDG_DATA_HOME": str(layout.stack / "home" / ".local" / "share"),
        # From the installed wheel, never from the folder a program happens to stand in.
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
    }
