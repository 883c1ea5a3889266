"""Networks that predict parameters from environmental covariates.

`fit_two_step` trains them on the results of site-level assimilation, `fit_end_to_end` on soil
carbon itself, `Ensemble` predicts, `save_model` and `load_model` keep them in files.
"""

from proda_lib.network.designs import DESIGNS, Design, shortened
from proda_lib.network.encoder import Encoder
from proda_lib.network.end_to_end import fit_end_to_end
from proda_lib.network.ensemble import Ensemble
from proda_lib.network.model_file import load as load_model
from proda_lib.network.model_file import save as save_model
from proda_lib.network.two_step import fit_two_step, information, parameter_skill

__all__ = [
    "DESIGNS",
    "Design",
    "Encoder",
    "Ensemble",
    "fit_end_to_end",
    "fit_two_step",
    "information",
    "load_model",
    "parameter_skill",
    "save_model",
    "shortened",
]
