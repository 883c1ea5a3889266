"""The terms of equation 37.1 for given parameters and forcing, written once for NumPy and JAX.

The dense matrices to look at (`proda_lib.matrices`) and the engine (`proda_lib.steady_state`) only
arrange and solve these terms. The book explains each on the page "Equations of the model".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proda_lib.arrays import namespace
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.environment import (
    depth_scalar,
    modifiers,
    temperature_scalar,
    water_potential_scalar,
    water_scalar,
)
from proda_lib.forcing import Forcing
from proda_lib.inputs import input_density, input_share
from proda_lib.parameters import POOLS, sand_rule
from proda_lib.transport import DAYS_PER_YEAR, Exchange, exchange

__all__ = ["TRANSFERS", "Terms", "decomposition_rates", "terms", "transfer_fractions"]

FloatArray = NDArray[np.float64]

#: (donor, receiver, parameter) of the transfers between pools; cwd feeds litter3 with 1 - fcwdl2
#: besides (a_matrix.m of the original).
TRANSFERS = (
    ("cwd", "litter2", "fcwdl2"),
    ("litter1", "soil1", "fl1s1"),
    ("litter2", "soil1", "fl2s1"),
    ("litter3", "soil2", "fl3s2"),
    ("soil1", "soil2", "fs1s2"),
    ("soil1", "soil3", "fs1s3"),
    ("soil2", "soil1", "fs2s1"),
    ("soil2", "soil3", "fs2s3"),
    ("soil3", "soil1", "fs3s1"),
)

#: Parameter that holds the turnover time of each pool; cellulose and lignin litter share theirs.
TURNOVER = ("taucwd", "taul1", "taul2", "taul2", "tau4s1", "tau4s2", "tau4s3")

#: Pools whose decomposition nitrogen limits.
LITTERS = ("litter1", "litter2", "litter3")


class Terms(NamedTuple):
    """What stands in equation 37.1.

    Attributes
    ----------
    value : dict of str to array, shape (...)
        Parameters by name; transfers that follow sand have shape (..., layers).
    soil, litter : array, shape (..., layers)
        Environmental modifiers of debris and soil, and of litter, 1.
    exchange : Exchange of array, shape (..., layers)
        day-1.
    inputs : array, shape (..., 4, layers)
        Carbon entering cwd and the litters, gC m-3 day-1.
    """

    value: dict[str, Any]
    soil: Any
    litter: Any
    exchange: Exchange
    inputs: Any


def terms(
    parameters: Any,
    forcing: Forcing,
    configuration: Configuration = CLM5_20,
    advection: Any = None,
) -> Terms:
    """Compute the terms of equation 37.1.

    Parameters
    ----------
    parameters : array, shape (..., parameters)
        Physical values in the order of `configuration.names`.
    forcing : Forcing
        With the same leading shape.
    advection : array, shape (...), optional
        Downward flow of carbon, m yr-1; none in CLM5.

    Returns
    -------
    Terms
    """
    xp = namespace(parameters, forcing.temperature)
    grid = configuration.grid
    value = configuration.value(parameters)
    if configuration.water == "scalar":
        water = water_scalar(forcing.water, value["w-scaling"][..., None, None])
    else:
        water = water_potential_scalar(forcing.water, value["maxpsi"][..., None, None])
    warmth = temperature_scalar(forcing.temperature, value["q10"][..., None, None])
    depth = depth_scalar(grid.node, value["efolding"][..., None])
    soil, litter = modifiers(warmth, water, forcing.oxygen, forcing.nitrogen, depth)
    if forcing.sand is not None:
        value["fs1s2"], value["fs1s3"] = sand_rule(forcing.sand)
    if forcing.layered_input is None:
        share = input_share(value["beta"], forcing.live, forcing.thawed, grid)
        inputs = input_density(forcing.annual_input, share, grid)
    else:
        inputs = forcing.layered_input / DAYS_PER_YEAR
    return Terms(
        value,
        # Nothing lies below a closed bedrock: any positive rate keeps 0 / rate at 0 there.
        xp.where(forcing.live, soil, 1.0),
        xp.where(forcing.live, litter, 1.0),
        exchange(forcing.mixing, value["diffus"], value["cryo"], advection, grid),
        inputs,
    )


def decomposition_rates(terms: Terms) -> Any:
    """Decomposition rate of each pool and layer, diagonal of xi K, day-1, shape (..., 7, layers).

    xi / (365 tau) with tau in years (kk_matrix.m).
    """
    xp = namespace(terms.soil)
    rates = [
        (terms.litter if pool in LITTERS else terms.soil)
        / (DAYS_PER_YEAR * xp.asarray(terms.value[turnover])[..., None])
        for pool, turnover in zip(POOLS, TURNOVER, strict=True)
    ]
    return xp.stack(rates, axis=-2)


def transfer_fractions(value: dict[str, Any], layers: int) -> FloatArray:
    """Fraction of a pool's decomposition that another receives, shape (..., layers, 7, 7).

    Element [receiver, donor]; the diagonal is 0. What is missing from a column's sum is respired.

    Parameters
    ----------
    value : dict
        `Terms.value`: shape (...) or, where the transfer follows sand, (..., layers).

    Examples
    --------
    >>> value = CLM5_20.value(CLM5_20.default)
    >>> respired = 1 - transfer_fractions(value, 20)[0].sum(axis=0)
    >>> respired.round(3).tolist()
    [0.0, 0.55, 0.5, 0.5, 0.51, 0.55, 0.55]
    """
    leading = np.shape(value["q10"])
    fractions = np.zeros((*leading, layers, len(POOLS), len(POOLS)))
    place = {pool: i for i, pool in enumerate(POOLS)}
    for donor, receiver, name in TRANSFERS:
        fraction = np.asarray(value[name])
        by_layer = fraction if fraction.ndim > len(leading) else fraction[..., None]
        fractions[..., place[receiver], place[donor]] = by_layer
    debris = fractions[..., place["litter2"], place["cwd"]]
    fractions[..., place["litter3"], place["cwd"]] = 1 - debris
    return fractions
