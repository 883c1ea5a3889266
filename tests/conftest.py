"""What tests share: your own studies, if you have any, stay out of them; a browser."""

from __future__ import annotations

import pytest

from proda_lib.reproduce.book import find_chromium
from tests import browser


@pytest.fixture(autouse=True, scope="session")
def no_own_studies(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRODA_STUDIES", str(tmp_path_factory.mktemp("studies")))
        yield


@pytest.fixture(scope="module")
def chromium():
    """Start a browser; without one the test is skipped."""
    if find_chromium() is None:
        pytest.skip("no Chromium: install it or set PRODA_CHROMIUM")
    with browser.browser() as started:
        yield started
