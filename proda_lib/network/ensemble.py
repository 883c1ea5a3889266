"""An ensemble of trained networks: parameters for any place with the covariates of the training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib.compiled import jax
from proda_lib.forcing import row_dimension
from proda_lib.network import perceptron
from proda_lib.network.encoder import Encoder
from proda_lib.network.training import History
from proda_lib.parameters import NAMES, PRODA, PriorBox

import jax.numpy as jnp  # isort: skip

__all__ = ["MARGIN", "Ensemble", "with_averages"]

FloatArray = NDArray[np.float64]

#: Positions in the prior range stay so far from its ends, where some parameters are impossible.
MARGIN = 1e-4


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trained networks with all that is needed to predict again, see `model_file`.

    Attributes
    ----------
    kind : str
        How it was trained: "two_step" or "end_to_end".
    encoder : Encoder
    weights : list of (weight, bias)
        With a leading axis member, see `perceptron`.
    constant : ndarray, shape (21,)
        What is added to the outputs of the networks.
    options : dict
        What JSON can hold. "output" is "sigmoid", positions bounded to 0 to 1, or "linear",
        positions as they come; "activation" is one of `perceptron.ACTIVATIONS`.
    prior : PriorBox
        The box that positions refer to.
    history : History, optional
    """

    kind: str
    encoder: Encoder
    weights: perceptron.Weights
    constant: FloatArray
    options: dict[str, Any]
    prior: PriorBox = PRODA
    history: History | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        outputs, shape = self.weights[-1][1].shape[-1], np.shape(self.constant)
        if (outputs, *shape) != (len(NAMES), len(NAMES)):
            raise ValueError(
                f"the networks have {outputs} outputs and a constant of shape {shape}: both must "
                f"fit the {len(NAMES)} parameters"
            )

    @property
    def members(self) -> int:
        """Number of networks."""
        return len(self.weights[0][0])

    def raw_unit(self, places: xr.Dataset) -> FloatArray:
        """Positions in the prior range as the networks give them, shape (member, n, 21).

        Places are sites or cells. Under "linear" positions may lie outside 0 to 1; under the
        encoder "published" they are NaN where a covariate is missing.
        """
        inputs = jnp.asarray(self.encoder.transform(places))
        outputs = _outputs(self.weights, inputs, self.options.get("activation", "relu"))
        outputs = np.asarray(outputs, dtype=float) + self.constant
        if self.options["output"] == "sigmoid":
            outputs = 1 / (1 + np.exp(-outputs))
        return outputs

    def unit(self, places: xr.Dataset) -> FloatArray:
        """Positions in the prior range, kept inside it by `MARGIN`; shape (member, n, 21)."""
        return np.clip(self.raw_unit(places), MARGIN, 1 - MARGIN)

    def driven(self, places: xr.Dataset) -> xr.Dataset:
        """Return places with the forcing on which the parameters are to be run.

        Their own, unless the networks were trained with averages (option "averages").
        """
        return with_averages(places, self.options.get("averages", {}))

    def outside(self, places: xr.Dataset) -> NDArray[np.bool_]:
        """Tell which positions `unit` moved, shape (member, n, 21)."""
        raw = self.raw_unit(places)
        return (raw < MARGIN) | (raw > 1 - MARGIN)


def with_averages(places: xr.Dataset, averages: dict[str, Any]) -> xr.Dataset:
    """Put averages of forcing variables in the place of the rows' own values.

    Parameters
    ----------
    places : Dataset
        Sites or cells.
    averages : dict
        Variable to {"dims": names, "values": nested lists}, without the dimension of the rows.

    Examples
    --------
    >>> places = xr.Dataset({"litter_input": ("site", [1.0, 3.0])})
    >>> mean = {"litter_input": {"dims": [], "values": 2.0}}
    >>> with_averages(places, mean).litter_input.values.tolist()
    [2.0, 2.0]
    """
    if not averages:
        return places
    row = row_dimension(places)
    new = {}
    for name, mean in averages.items():
        shared = xr.DataArray(mean["values"], dims=mean["dims"])
        old = places[name]
        wide = shared.expand_dims({row: places.sizes[row]}).transpose(*old.dims)
        new[name] = (old.dims, wide.values, old.attrs)
    # Rows that shared a forcing may still differ in bedrock, those that did not may be alike now.
    return places.drop_vars("forcing_id", errors="ignore").assign(new)


def _outputs(weights: perceptron.Weights, inputs: Any, activation: str) -> Any:
    return jax.vmap(lambda own: perceptron.apply(own, inputs, activation=activation))(weights)
