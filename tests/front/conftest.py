"""The command line under a name that does not hide the package."""

import pytest


@pytest.fixture
def toadstone_run(toadstone):
    """Run the command line within this process."""
    return toadstone
