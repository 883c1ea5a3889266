"""Posterior draws of all sites as ArviZ reads them: one tree of groups, one variable a parameter.

ArviZ expects the groups `posterior` (chain, draw, ...), `observed_data` and `constant_data` of the
InferenceData schema (Kumar et al. 2019, doi:10.21105/joss.01143). Any netCDF-4 library reads them.
"""

from __future__ import annotations

import xarray as xr

__all__ = ["to_tree"]

#: Of each parameter and site, from the full chains; by what `assimilation.assimilate_sites` names.
_DIAGNOSTICS = {
    "parameter_rhat": "rhat",
    "parameter_ess_bulk": "ess_bulk",
    "parameter_ess_tail": "ess_tail",
}

_ABOUT = {
    "parameters_are": "physical values, see the attribute units of each",
    "comment": (
        "Draws are spread evenly over what all chains kept and stand in one chain: take R-hat and "
        "effective sample sizes of the full chains from the group diagnostics, do not compute them "
        "anew"
    ),
}


def to_tree(found: xr.Dataset) -> xr.DataTree:
    """Arrange what data assimilation found for ArviZ, in physical units.

    Parameters
    ----------
    found : Dataset
        From `proda_lib.assimilation.assimilate_sites`; sites that are not used are left out.

    Returns
    -------
    DataTree
        `posterior`: every parameter by (chain, draw, site) with its unit; `observed_data`: soc by
        (site, observation), gC m-3; `constant_data`: depth, m, and the prior range of each
        parameter; `diagnostics`: R-hat and effective sample sizes by (site, parameter), 1. Sites
        are labelled by their profile_id.

    Raises
    ------
    ValueError
        If no site is used.

    Examples
    --------
    >>> import numpy as np
    >>> site, both = ("site",), ("site", "parameter")
    >>> found = xr.Dataset(
    ...     {"draws": (("site", "draw", "parameter"), np.full((2, 5, 1), 0.5)),
    ...      "used": (site, [True, False]), "observed_soc": (("site", "observation"), [[1], [2]]),
    ...      "observed_depth": (("site", "observation"), [[0.1], [0.2]])}
    ...     | {name: (both, [[1.0], [1.0]]) for name in _DIAGNOSTICS},
    ...     {"parameter": ["q10"], "parameter_units": ("parameter", ["1"]),
    ...      "prior_lower": ("parameter", [1.0]), "prior_upper": ("parameter", [3.0]),
    ...      "profile_id": (site, [7, 8]), "lon": (site, [0, 0]), "lat": (site, [0, 0])})
    >>> tree = to_tree(found)
    >>> tree["posterior"]["q10"].sizes, float(tree["posterior"]["q10"].sel(site=7).mean())
    (Frozen({'chain': 1, 'draw': 5, 'site': 1}), 2.0)
    """
    good = found.isel(site=found.used.values)
    if not good.sizes["site"]:
        raise ValueError("no site is used: see the variable reason of the data assimilation")
    place = {name: good[name] for name in ("lon", "lat")}
    good = good.drop_vars([name for name in good.coords if name not in _KEPT])
    good = good.assign_coords(site=good.profile_id.values).drop_vars("profile_id")
    return xr.DataTree.from_dict(
        {
            "/": xr.Dataset(attrs=found.attrs | _ABOUT),
            "posterior": _posterior(good),
            "observed_data": xr.Dataset({"soc": good.observed_soc}),
            "constant_data": xr.Dataset(
                {"depth": good.observed_depth}
                | {name: ("site", one.values, one.attrs) for name, one in place.items()}
                | {name: good[name].drop_vars(_PRIOR) for name in _PRIOR}
            ),
            "diagnostics": _diagnostics(good),
        }
    )


def _diagnostics(good: xr.Dataset) -> xr.Dataset:
    chosen = good[list(_DIAGNOSTICS)].drop_vars(_PRIOR).rename(_DIAGNOSTICS)
    return chosen.drop_attrs(deep=False)


_PRIOR = ["prior_lower", "prior_upper", "parameter_units"]
_KEPT = {*_PRIOR, "parameter", "profile_id"}


def _posterior(good: xr.Dataset) -> xr.Dataset:
    """Physical values of every parameter by (chain, draw, site)."""
    physical = good.prior_lower + good.draws * (good.prior_upper - good.prior_lower)
    physical = physical.expand_dims("chain").transpose("chain", "draw", "site", "parameter")
    variables = {}
    for name, units in zip(good.parameter.values, good.parameter_units.values, strict=True):
        one = physical.sel(parameter=name, drop=True).drop_vars(_PRIOR, errors="ignore")
        variables[str(name)] = one.assign_attrs(units=str(units), long_name=f"parameter {name}")
    coords = {"chain": [0], "draw": range(good.sizes["draw"])}
    return xr.Dataset(variables).assign_coords(coords)
