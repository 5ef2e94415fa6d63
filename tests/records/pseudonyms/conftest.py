"""Fixtures of the pseudonyms' tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from conftest_of_pseudonyms import key_file, run  # noqa: F401
