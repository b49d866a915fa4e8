"""What a test cannot do without: programs of the machine, or a machine of another kind."""

import shutil
from typing import NoReturn

import pytest

INAPPLICABLE = "not on this machine: "
"""How the reason of a skip begins that is right wherever everything is required (`tests/conftest.py`)."""


def inapplicable(reason: str) -> NoReturn:
    """Skip what this machine is not, whatever is installed: another system, another user, no second network address."""
    pytest.skip(INAPPLICABLE + reason)


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip, saying what is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")
