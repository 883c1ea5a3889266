"""Figures: each function takes numbers and an axis, draws, and returns the axis.

Nothing is computed here but what a drawing needs (bins, medians of bins). Captions carry the
titles. `subplots` makes a figure in the book's style.
"""

from proda_lib.plots.colours import (
    OKABE_ITO,
    colour_scale,
    plain_log,
    qualitative,
)
from proda_lib.plots.figure import (
    SOC_LABEL,
    STAMP,
    WIDTHS,
    depth_axis,
    subplots,
    use_style,
)
from proda_lib.plots.forcing import forcing_of_site, litter_input, month_by_depth
from proda_lib.plots.model import bar_of_bedrock, mass_balance, matrix_picture
from proda_lib.plots.posteriors import (
    correlations,
    cumulative,
    depth_band,
    marginals,
    ranges,
    trace,
)
from proda_lib.plots.profiles import (
    POOL_LABELS,
    binned_quantiles,
    depth_distribution,
    pools_with_depth,
    profile,
)
from proda_lib.plots.sites import (
    bars,
    covariate_distributions,
    histogram,
    observations_per_site,
)
from proda_lib.plots.skill import observed_against_modelled, residuals_by_depth

__all__ = [
    "OKABE_ITO",
    "POOL_LABELS",
    "SOC_LABEL",
    "STAMP",
    "WIDTHS",
    "bar_of_bedrock",
    "bars",
    "binned_quantiles",
    "colour_scale",
    "correlations",
    "covariate_distributions",
    "cumulative",
    "depth_axis",
    "depth_band",
    "depth_distribution",
    "forcing_of_site",
    "histogram",
    "litter_input",
    "marginals",
    "mass_balance",
    "matrix_picture",
    "month_by_depth",
    "observations_per_site",
    "observed_against_modelled",
    "plain_log",
    "pools_with_depth",
    "profile",
    "qualitative",
    "ranges",
    "residuals_by_depth",
    "subplots",
    "trace",
    "use_style",
]
