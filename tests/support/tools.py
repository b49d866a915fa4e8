"""Programs of the machine that a test cannot do without."""

import os
import shutil

import pytest


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip, saying what is missing; with CFWB_REQUIRE_ALL=1 the test runs, and fails of it."""
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(
        bool(missing) and os.environ.get("CFWB_REQUIRE_ALL") != "1",
        reason=f"not installed: {', '.join(missing)}",
    )
