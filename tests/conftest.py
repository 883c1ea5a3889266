"""What holds for all tests: your own studies, if you have any, stay out of them."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="session")
def no_own_studies(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRODA_STUDIES", str(tmp_path_factory.mktemp("studies")))
        yield
