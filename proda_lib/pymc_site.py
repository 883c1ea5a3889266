"""The posterior of one site as a PyMC model: the book's engine, likelihood and prior, under NUTS.

PyMC knows nothing of JAX, so the energy of `proda_lib.cost` is wrapped as a PyTensor operation that
returns value and gradient. The posterior is that of `proda_lib.sampler`, drawn from by other means:

- Coordinates z ~ N(0, I) with unit = Phi(z), as in `proda_lib.moves`. In them the uniform prior on
  the box has the shape and scale that NUTS is made for. `pm.Uniform` gives the same posterior in
  coordinates whose prior is logistic, with longer tails; NUTS got fewer effective draws from it.
- Chains run one after the other in this process. On Linux PyMC starts parallel chains by fork, and
  a forked process that uses JAX waits for ever, for threads that were not copied with it. `draw`
  starts fresh processes instead where it is given several cores: each of them imports and compiles
  everything anew, which pays for long chains only.
- JAX compiles the prior together with the engine (PyTensor's mode JAX). Neither a C compiler nor
  Numba is used, and PyMC 5 and 6 run alike. Fresh processes cannot be sent what JAX has compiled;
  there, PyTensor's mode FAST_COMPILE calls the engine from Python, at twice the price.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proda_lib import cost
from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_of
from proda_lib.parameters import PriorBox

import jax.numpy as jnp  # isort: skip

if TYPE_CHECKING:
    import pymc as pm
    from pytensor.graph.op import Op

__all__ = ["Chains", "draw", "energy_of", "model", "operation"]

#: PyTensor runs its operations one by one from Python.
_PLAIN = "FAST_COMPILE"
_STATS = "sample_stats"


class Chains(NamedTuple):
    """What `draw` returns.

    Attributes
    ----------
    unit : ndarray, shape (chain, draw, d)
        Draws in the unit cube.
    evaluations : ndarray of int, shape (2,)
        Energies with gradient before and in the kept phase, all chains together.
    divergent : ndarray of bool, shape (chain, draw)
        Whether a draw's trajectory left the region where the steps are short enough.
    """

    unit: NDArray[np.float64]
    evaluations: NDArray[np.int_]
    divergent: NDArray[np.bool_]


def operation(value_and_gradient: Callable[[Any, Any], Any], data: Any) -> Op:
    """Wrap a function (vector, data) -> (value, gradient) as a PyTensor operation.

    Its outputs are the value, shape (), and the gradient, shape (d,). PyTensor sees that both come
    from one operation on one vector, so a sampler that asks for both pays once.

    Parameters
    ----------
    value_and_gradient : callable
        Made of JAX functions, or not to be used in PyTensor's mode JAX.
    data : pytree
        Handed over at each call.

    Examples
    --------
    >>> square = operation(lambda vector, data: ((vector**2).sum(), 2 * vector), None)
    >>> value, gradient = square(np.array([1.0, 2.0]))
    >>> value.eval(mode="JAX").item(), gradient.eval(mode="FAST_COMPILE").tolist()
    (5.0, [2.0, 4.0])
    """
    import pytensor.tensor as pt
    from pytensor.gradient import DisconnectedType
    from pytensor.graph.basic import Apply
    from pytensor.graph.op import Op
    from pytensor.link.jax.dispatch import jax_funcify

    class ValueAndGradient(Op):
        def make_node(self, vector: Any) -> Apply:
            return Apply(self, [pt.as_tensor_variable(vector)], [pt.dscalar(), pt.dvector()])

        def perform(self, node: Apply, inputs: list, outputs: list) -> None:
            for output, found in zip(outputs, value_and_gradient(inputs[0], data), strict=True):
                output[0] = np.asarray(found)

        def pullback(self, inputs: list, outputs: list, cotangents: list) -> list:
            """Return the derivatives by the vector: those by the value times the gradient."""
            if not isinstance(cotangents[1].type, DisconnectedType):
                raise NotImplementedError("the gradient of the energy cannot be differentiated")
            return [cotangents[0] * outputs[1]]

    if not hasattr(Op, "pullback"):  # PyTensor before 3, under PyMC 5
        ValueAndGradient.L_op = ValueAndGradient.pullback

    @jax_funcify.register(ValueAndGradient)
    def in_jax(op: Op, **_: Any) -> Callable[[Any], Any]:
        return lambda vector: value_and_gradient(vector, data)

    return ValueAndGradient()


def energy_of(
    data: cost.SiteData,
    likelihood: cost.Likelihood = "proda",
    prior: PriorBox | None = None,
    *,
    configuration: str | Configuration = CLM5_20,
) -> Callable[[Any], Any]:
    """Return the energy of one site as a function of a PyTensor vector in the unit cube.

    Where it or its gradient is not finite it is infinite, with gradient 0: samplers reject that.

    Parameters
    ----------
    data : SiteData
        Of one site: one row of `proda_lib.cost.site_data`, with or without the axis site.
    likelihood, prior, configuration
        As in `proda_lib.cost.target`.

    Raises
    ------
    ValueError
        If the data are of several sites.

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites
    >>> data = cost.site_data(sites.isel(site=[0]))
    >>> energy = energy_of(data)(np.full(21, 0.5))
    >>> bool(np.isclose(energy.eval(mode="FAST_COMPILE"), 287.7044))
    True
    """
    rows = np.shape(data.observed)[:-1]
    if np.prod(rows, dtype=int) != 1:
        raise ValueError(f"the data are of {rows[0]} sites, a model is of one: select its row")
    one = jax.tree.map(lambda leaf: leaf[0], data) if rows else data
    model = configuration_of(configuration)
    cost.target(likelihood, prior, configuration=model)  # complains now rather than when it runs
    function = partial(_value_and_gradient, likelihood, prior, model)
    with _quiet():
        wrapped = operation(function, jax.device_put(one))
    return lambda unit: wrapped(unit)[0]


def _value_and_gradient(
    likelihood: cost.Likelihood,
    prior: PriorBox | None,
    configuration: Configuration,
    unit: Any,
    data: Any,
) -> Any:
    """Evaluate; other processes can be sent this function, and compile for themselves."""
    return _compiled(likelihood, prior, configuration)(unit, data)


@lru_cache
def _compiled(
    likelihood: cost.Likelihood, prior: PriorBox | None, configuration: Configuration
) -> Callable[[Any, Any], Any]:
    both = jax.value_and_grad(cost.target(likelihood, prior, configuration=configuration))

    @jax.jit
    def guarded(unit: Any, data: Any) -> tuple[Any, Any]:
        value, gradient = both(unit, data)
        usable = jnp.isfinite(value) & jnp.isfinite(gradient).all()
        return jnp.where(usable, value, jnp.inf), jnp.where(usable, gradient, 0.0)

    return guarded


def model(
    data: cost.SiteData,
    likelihood: cost.Likelihood = "proda",
    prior: PriorBox | None = None,
    *,
    configuration: str | Configuration = CLM5_20,
) -> pm.Model:
    """Build the model of one site: 21 standard normal z, unit = Phi(z), minus the energy.

    Parameters
    ----------
    data, likelihood, prior, configuration
        As in `energy_of`.

    Returns
    -------
    Model
        With the variable "z" and the deterministic "unit", both of shape (d,), dimension parameter.
    """
    energy = energy_of(data, likelihood, prior, configuration=configuration)
    import pymc as pm

    with pm.Model(coords={"parameter": configuration_of(configuration).names}) as built:
        z = pm.Normal("z", dims="parameter")
        unit = pm.Deterministic("unit", pm.math.invprobit(z), dims="parameter")
        pm.Potential("likelihood", -energy(unit))
    return built


def draw(
    model: pm.Model,
    *,
    draws: int = 500,
    tune: int = 500,
    chains: int = 4,
    seed: int = 0,
    **options: Any,
) -> Chains:
    """Draw from a model by NUTS, by default one chain after the other in this process.

    Parameters
    ----------
    model : Model
        With a deterministic "unit", as from `model`.
    draws, tune : int
        Kept and thrown away, per chain; at least 1.
    chains : int
    seed : int
        The same numbers with the same versions of PyMC and JAX on the same kind of processor.
    **options
        Passed on to `pymc.sample`, for example target_accept=0.95 if trajectories diverge, or
        cores=4 for fresh processes.

    Raises
    ------
    ValueError
        If the model has no deterministic "unit", a number is not positive, or mp_ctx is "fork".
    """
    import pymc as pm

    if "unit" not in model.named_vars:
        raise ValueError("the model has no variable 'unit': build it with pymc_site.model")
    for name, number in {"draws": draws, "tune": tune, "chains": chains}.items():
        if number < 1:
            raise ValueError(f"{name} is {number}, it must be at least 1")
    if options.get("mp_ctx") == "fork":
        raise ValueError("mp_ctx is 'fork', with which JAX hangs: use 'spawn' or leave it out")
    alone = options.get("cores", 1) == 1
    options = {
        "cores": 1, "nuts_sampler": "pymc", "progressbar": False,
        "compute_convergence_checks": False, "mp_ctx": "spawn",
        "compile_kwargs": {"mode": "JAX" if alone else _PLAIN},
    } | options  # fmt: skip
    with _quiet(), model:
        found = pm.sample(
            draws=draws, tune=tune, chains=chains, random_seed=seed,
            discard_tuned_samples=False, return_inferencedata=True, **options,
        )  # fmt: skip
    # NUTS computes the start of a trajectory once more, then every step along it.
    steps = [found[group]["n_steps"].values + 1 for group in ("warmup_sample_stats", _STATS)]
    return Chains(
        found["posterior"]["unit"].values,
        np.array([each.sum() for each in steps], dtype=int),
        found[_STATS]["diverging"].values.astype(bool),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Let PyTensor compile nothing unless told so, and PyMC and PyTensor report errors only."""
    loggers = [logging.getLogger(name) for name in ("pymc", "pytensor.configdefaults")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        import pytensor

        with pytensor.config.change_flags(mode=_PLAIN):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
