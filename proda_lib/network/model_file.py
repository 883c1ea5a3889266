"""Trained networks in files: everything needed to predict again, as netCDF and without pickle.

A file holds the weights, the table that the encoder is made from again, the prior box, the options
and the learning curves, and a fingerprint of all of it.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from proda_lib.files import atomic
from proda_lib.network.encoder import Encoder
from proda_lib.network.ensemble import Ensemble
from proda_lib.network.training import History
from proda_lib.parameters import NAMES, PriorBox

__all__ = ["load", "save"]

#: Attribute that marks such a file, with the version of its form.
_FORM = {"content": "networks that predict parameters", "form": 2}

#: Rows whose inputs are saved, to be compared when the encoder is made again.
_EXAMPLES = 16


def save(path: str | os.PathLike[str], model: Ensemble, **labels: str) -> Path:
    """Write an ensemble of networks to a netCDF file, whole or not at all.

    Parameters
    ----------
    path : path
        For example results/<study>/<size>/network_default.nc; its folder is made if missing.
    model : Ensemble
    **labels : str
        More attributes, for example the study.

    Returns
    -------
    Path
        The file.
    """
    dataset = _dataset(model).assign_attrs(labels)
    with atomic(path) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf")
    return Path(path)


def load(path: str | os.PathLike[str]) -> Ensemble:
    """Read an ensemble of networks; it predicts exactly what the one saved does.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged or holds something else.

    Examples
    --------
    >>> load("no-such-file.nc")
    Traceback (most recent call last):
    FileNotFoundError: no file no-such-file.nc: train the networks and save them first
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"no file {path}: train the networks and save them first")
    try:
        dataset = xr.load_dataset(path, engine="h5netcdf")
    except Exception as error:  # the reader raises whatever it stumbles over
        raise ValueError(f"{path} is not a readable netCDF file ({error}): save it again") from None
    given = {name: dataset.attrs.get(name) for name in _FORM}
    if given != _FORM:
        raise ValueError(
            f"{path} holds {given['content'] or 'something else'}, form {given['form']}: give a "
            f"file of {_FORM['content']}, form {_FORM['form']}"
        )
    if dataset.attrs.get("fingerprint") != _fingerprint(dataset):
        raise ValueError(f"{path} is damaged, its fingerprint is wrong: save it again")
    return _model(dataset, path)


def _dataset(model: Ensemble) -> xr.Dataset:
    encoder = model.encoder
    content: dict[str, Any] = {
        "encoder_table": (("row", "covariate"), encoder.table),
        "example": (("example", "input"), encoder.encoded(encoder.table[:_EXAMPLES])),
        "constant": ("parameter", np.asarray(model.constant, dtype=float)),
        "prior_lower": ("parameter", model.prior.lower),
        "prior_upper": ("parameter", model.prior.upper),
    }
    for number, (weight, bias) in enumerate(model.weights):
        sizes = (f"layer_{number}", f"layer_{number + 1}")
        content[f"weight_{number}"] = (("member", *sizes), np.asarray(weight))
        content[f"bias_{number}"] = (("member", sizes[1]), np.asarray(bias))
    if model.history is not None:
        for name, values in model.history._asdict().items():
            content[f"history_{name}"] = (("member", "epoch")[: np.ndim(values)], values)
    coords = {
        "covariate": list(encoder.covariates),
        "covariate_kind": ("covariate", list(encoder.kinds)),
        "parameter": list(NAMES),
    }
    attributes = _FORM | {
        "kind": model.kind,
        "scheme": encoder.scheme,
        "options": json.dumps(model.options),
        "inputs": json.dumps(encoder.names),
        "prior": json.dumps([model.prior.name, model.prior.source]),
    }
    dataset = xr.Dataset(content, coords, attributes)
    return dataset.assign_attrs(fingerprint=_fingerprint(dataset))


def _fingerprint(dataset: xr.Dataset) -> str:
    """SHA-256 of all values and of the attributes that are needed."""
    digest = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        values = dataset[name].values
        plain = values.tobytes() if values.dtype.kind in "iuf" else repr(values.tolist()).encode()
        digest.update(f"{name} {values.shape} ".encode() + plain)
    for name in ("kind", "scheme", "options", "inputs", "prior"):
        digest.update(f"{name} {dataset.attrs.get(name)} ".encode())
    return digest.hexdigest()


def _model(dataset: xr.Dataset, path: str | os.PathLike[str]) -> Ensemble:
    encoder = Encoder(
        dataset.attrs["scheme"],
        tuple(map(str, dataset["covariate"].values)),
        tuple(map(str, dataset["covariate_kind"].values)),
        dataset["encoder_table"].values,
    )
    names, example = tuple(json.loads(dataset.attrs["inputs"])), dataset["example"].values
    again = encoder.encoded(encoder.table[:_EXAMPLES])
    same = encoder.names == names and np.allclose(again, example, atol=1e-5, equal_nan=True)
    if not same:
        raise ValueError(
            f"{path}: other inputs are made from the covariates now than when it was saved, by "
            "another version of scikit-learn or of the encoder: train the networks again"
        )
    layers = sum(str(name).startswith("weight_") for name in dataset.data_vars)
    weights = [
        (dataset[f"weight_{number}"].values, dataset[f"bias_{number}"].values)
        for number in range(layers)
    ]
    history = None
    if "history_loss" in dataset:
        history = History(*(dataset[f"history_{name}"].values for name in History._fields))
    limits = (dataset["prior_lower"].values, dataset["prior_upper"].values)
    return Ensemble(
        dataset.attrs["kind"], encoder, weights, dataset["constant"].values,
        json.loads(dataset.attrs["options"]),
        PriorBox(*json.loads(dataset.attrs["prior"]), *limits), history,
    )  # fmt: skip
