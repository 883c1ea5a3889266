"""The default run on the real New York profiles against figures measured independently."""

from __future__ import annotations

import pytest

from proda_lib import metrics, steady_state, studies
from proda_lib.depths import interpolate_to_depth
from proda_lib.studies.newyork import common_layers

pytestmark = pytest.mark.skipif(
    bool(studies.missing("newyork")),
    reason="needs the New York data: set PRODA_MIRROR, or fetch them with `proda data newyork`",
)


def test_the_default_run_has_the_known_skill_on_the_common_layers() -> None:
    """NSE 0.211, R2 0.351, RMSE 26.4 kgC m-3 on 8,481 layers, by another implementation."""
    sites = common_layers(studies.load("newyork", "class").sites)
    soil = steady_state.soil_of(steady_state.default_run(sites, bedrock="published"))
    modelled = interpolate_to_depth(soil, sites, bedrock="published")
    skill = metrics.skill(sites["observed_soc"].values, modelled)
    assert skill["pairs"] == 8481
    assert skill["r2"] == pytest.approx(0.351, abs=0.001)
    assert skill["efficiency"] == pytest.approx(0.211, abs=0.001)
    assert skill["rmse"] == pytest.approx(26.4, abs=0.05)
