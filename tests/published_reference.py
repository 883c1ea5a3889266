"""One chain of the published sampler, transcribed rule by rule, slow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from proda_lib import published_chain as chain
from proda_lib.published_variants import Variant

Cost = Callable[[np.ndarray], float]


def test_run(cost: Cost, d: int, variant: Variant, key: Any, half_width: float) -> dict[str, Any]:
    old, j_old, records, accepted = np.full(d, 0.5), cost(np.full(d, 0.5)), [], 0
    for simu in range(1, variant.test + 1):
        u, choice = _numbers(key, simu, (d,), "test")
        low, high = np.maximum(old - half_width, 0), np.minimum(old + half_width, 1)
        new = low + u * (high - low)
        j_new = cost(new)
        if not np.isfinite(j_new):
            j_new = j_old + 100
        if min(1, np.exp(-(j_new - j_old) * np.log(simu + 2))) > choice:
            old, j_old, accepted = new, j_new, accepted + 1
        records.append(old)
    return {"unit": old, "records": np.array(records), "accepted": accepted}


test_run.__test__ = False


def formal_run(
    cost: Cost, d: int, variant: Variant, test: dict[str, Any], key: Any, scale: float
) -> dict[str, Any]:
    par, j_old = test["unit"], cost(np.full(d, 0.5))
    covariance = scale * variant.scale / d * np.cov(test["records"].T)
    records, values, simu, step, acceptance, redrawn, given_up = [], [], 0, 0, 0.0, 0, 0
    while simu < variant.formal:
        if step > 0 and step % variant.block == 0 and simu > variant.adapt_from:
            covariance = scale * variant.scale / d * np.cov(np.array(records).T)
        step += 1
        z, choice = _numbers(key, step, (d, chain.TRIES), "formal")
        factor = np.linalg.cholesky(covariance)
        new = None
        for row in z.T:
            proposal = par + factor @ row
            if np.all(proposal > 0) and np.all(proposal < 1):
                new = proposal
                break
        if new is None:
            redrawn += 1
            if redrawn < chain.PATIENCE:
                continue
            given_up += 1
        redrawn = 0
        simu += 1
        if new is not None:
            j_new = cost(new)
            if not np.isfinite(j_new):
                j_new = j_old + 100
            if min(1, np.exp(-(j_new - j_old) * np.log(simu + 2))) > choice:
                par, j_old = new, j_new
                values.append(par)
                acceptance = len(values) / simu
        records.append(par)
    return {
        "values": np.array(values),
        "acceptance": acceptance,
        "given_up": given_up,
        "records": np.array(records),
    }


def _numbers(key: Any, step: int, shape: tuple[int, ...], kind: str) -> tuple[np.ndarray, float]:
    move, choice = chain.numbers(key, step, shape, kind)
    return np.asarray(move), float(choice)
