"""What the emulators do, side by side in docs/parity.md. An observation is not a verdict."""

from collections.abc import Callable

import pytest

from tests.acceptance.laboratory import laboratory
from tests.acceptance.probes import PROBES, Probe
from tests.acceptance.stack import Stack
from tests.acceptance.targets import Target


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.observe.__name__)
def test_an_emulator_is_observed(
    target: Target, stack: Stack, probe: Probe, record_property: Callable[[str, object], None]
):
    if not target.emulator:
        pytest.skip("this is AWS itself, and probes would leave their traces in an account")
    with laboratory(stack) as lab:
        record_property("observed", probe.observe(lab))
