from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from proda_lib import results

PLACE = ("toy", "smoke")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PRODA_RESULTS", str(tmp_path))
    return tmp_path / "toy" / "smoke"


def test_numbers_come_back_as_plain_python(folder):
    given = {"a.sites": np.int64(3), "a.r2": np.float32(0.5), "a.ok": np.bool_(True), "a.name": "x"}
    file = results.save_numbers(*PLACE, "01_a", given)
    assert file == folder / "numbers" / "01_a.json"
    back = results.load_numbers(*PLACE)
    assert back == {"a.sites": 3, "a.r2": 0.5, "a.ok": True, "a.name": "x"}
    assert type(back["a.sites"]) is int
    assert type(back["a.ok"]) is bool


def test_numbers_of_all_chapters_are_merged_into_one_file(folder):
    results.save_numbers(*PLACE, "01_a", {"a.x": 1})
    results.save_numbers(*PLACE, "02_b", {"b.x": 2})
    results.merge_numbers(*PLACE)
    assert json.loads((folder / "numbers.json").read_text()) == {"a.x": 1, "b.x": 2}


def test_the_same_key_in_two_chapters_is_an_error_that_names_both():
    results.save_numbers(*PLACE, "01_a", {"a.x": 1})
    results.save_numbers(*PLACE, "02_b", {"a.x": 1})
    with pytest.raises(ValueError, match=r"a\.x.*01_a.*02_b"):
        results.load_numbers(*PLACE)


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("a.x", float("nan"), ValueError),
        ("a.x", np.inf, ValueError),
        ("a.x", [1, 2], TypeError),
        ("a.x", np.zeros(2), TypeError),
        ("a x", 1, ValueError),
        ("a..x", 1, ValueError),
    ],
)
def test_what_is_not_a_number_is_refused_and_the_old_file_kept(folder, key, value, error):
    results.save_numbers(*PLACE, "01_a", {"a.x": 1})
    with pytest.raises(error, match=key):
        results.save_numbers(*PLACE, "01_a", {"a.other": 2, key: value})
    assert results.load_numbers(*PLACE) == {"a.x": 1}


def test_tables_and_datasets_come_back(folder):
    table = pd.DataFrame({"method": ["default"], "rmse (gC m-3)": [1.25]})
    results.save_table(*PLACE, "table_37_1", table)
    pd.testing.assert_frame_equal(results.load_table(*PLACE, "table_37_1"), table)
    data = xr.Dataset({"soc": ("site", [1.0, np.nan], {"units": "gC m-3"})})
    results.save_dataset(*PLACE, "soc", data)
    back = results.load_dataset(*PLACE, "soc")
    xr.testing.assert_equal(back, data)
    assert back.soc.attrs == {"units": "gC m-3"}
    assert back.attrs == {"study": "toy", "size": "smoke"}
    results.save_dataset("twin", "smoke", "soc", data)
    assert "SYNTHETIC" in results.load_dataset("twin", "smoke", "soc").attrs["data"]
    assert data.attrs == {}, "what was given is left alone"
    assert {file.name for file in folder.iterdir()} == {"table_37_1.csv", "soc.nc"}


def test_row_labels_are_not_lost_silently():
    with pytest.raises(ValueError, match="reset_index"):
        results.save_table(*PLACE, "t", pd.DataFrame({"a": [1]}, index=["row"]))


def test_a_missing_result_says_what_to_run():
    with pytest.raises(results.MissingResult, match=r"soc\.nc.*--study toy --size smoke"):
        results.load_dataset(*PLACE, "soc")


@pytest.mark.parametrize("name", ["../escape", "a/b", ".hidden", ""])
def test_a_name_cannot_leave_the_folder(name):
    with pytest.raises(ValueError, match="result name"):
        results.save_table(*PLACE, name, pd.DataFrame())


def test_posteriors_open_in_arviz_with_units_and_without_unused_sites(folder):
    import arviz

    from proda_lib.parameters import NAMES, PRODA
    from proda_lib.posterior_file import to_tree

    random, both = np.random.default_rng(1), ("site", "parameter")
    found = xr.Dataset(
        {"draws": (("site", "draw", "parameter"), random.uniform(size=(3, 20, 21))),
         "used": ("site", [True, True, True]),
         "observed_soc": (("site", "observation"), random.uniform(1e3, 1e5, (3, 2))),
         "observed_depth": (("site", "observation"), [[0.1, 0.4]] * 3)}
        | {f"parameter_{name}": (both, random.uniform(size=(3, 21)))
           for name in ("rhat", "ess_bulk", "ess_tail")},
        {"parameter": list(NAMES), "parameter_units": ("parameter", ["m2 yr-1"] + ["1"] * 20),
         "prior_lower": ("parameter", PRODA.lower), "prior_upper": ("parameter", PRODA.upper),
         "profile_id": ("site", [7, 8, 9]), "lon": ("site", [0.0] * 3), "lat": ("site", [0.0] * 3)},
    )  # fmt: skip
    found.used[1] = False
    opened = arviz.from_netcdf(results.save_tree(*PLACE, "posteriors", to_tree(found)))
    kept = found.isel(site=[0, 2])
    physical = PRODA.to_physical(kept.draws.values)
    assert opened.posterior.q10.dims == ("chain", "draw", "site")
    np.testing.assert_allclose(opened.posterior.q10.values[0].T, physical[..., 2], rtol=1e-12)
    assert opened.posterior.diffus.attrs["units"] == "m2 yr-1"
    assert opened.posterior.site.values.tolist() == kept.profile_id.values.tolist()
    np.testing.assert_array_equal(opened.observed_data.soc, kept.observed_soc)
    np.testing.assert_array_equal(opened.diagnostics.rhat, kept.parameter_rhat)
    found.used[:] = False
    with pytest.raises(ValueError, match="no site is used"):
        to_tree(found)
