"""What drives the model at one site: climate of the soil, litter input, sand and bedrock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import GREY, OKABE_ITO, SEQUENTIAL
from proda_lib.plots.figure import depth_axis
from proda_lib.plots.profiles import POOL_LABELS
from proda_lib.studies.schema import LITTER, grid_of

__all__ = ["forcing_of_site", "litter_input", "month_by_depth"]

_MONTHS = tuple("JFMAMJJASOND")


def month_by_depth(
    ax: Axes,
    interface: ArrayLike,
    values: ArrayLike,
    label: str,
    *,
    limits: tuple[float, float] | None = None,
    cmap: str = SEQUENTIAL,
    deepest: float | None = None,
) -> Axes:
    """Draw a year of the soil column as an image, months across, layers down.

    Parameters
    ----------
    ax : Axes
    interface : array_like, shape (layer,)
        Lower interface of each layer, m.
    values : array_like, shape (layer, month)
    label : str
        What the values are, with unit: beside the colour bar.
    limits : (float, float), optional
        Ends of the colour bar.
    cmap : str
    deepest : float, optional
        Lower end of the axis, m.

    Returns
    -------
    Axes
    """
    edges = np.concatenate([[0.0], np.asarray(interface, float)])
    low, high = limits or (None, None)
    image = ax.pcolormesh(
        np.arange(13) + 0.5, edges, np.asarray(values, float), cmap=cmap, vmin=low, vmax=high,
        rasterized=True,
    )  # fmt: skip
    ax.figure.colorbar(image, ax=ax, label=label, pad=0.02)
    _months(ax)
    return depth_axis(ax, deepest or float(edges[-1]), "root")


def _months(ax: Axes) -> None:
    ax.set_xticks(range(1, 13), [m if i % 2 == 0 else "" for i, m in enumerate(_MONTHS)])
    ax.set_xlim(0.5, 12.5)
    ax.set_xlabel("Month")
    ax.grid(False)


def litter_input(ax: Axes, litter: Sequence[str], values: ArrayLike) -> Axes:
    """Draw the monthly plant carbon that enters the litter pools, stacked.

    Parameters
    ----------
    ax : Axes
    litter : sequence of str
        Names of the litter pools, as in the schema.
    values : array_like, shape (litter, month)
        gC m-2 month-1.

    Returns
    -------
    Axes
    """
    colours = (OKABE_ITO[name] for name in ("black", "sky", "orange", "green"))
    bottom = np.zeros(12)
    for name, row, colour in zip(litter, np.asarray(values, float), colours, strict=False):
        label = POOL_LABELS.get(str(name), str(name)).removesuffix(" litter")
        ax.bar(range(1, 13), row, bottom=bottom, color=colour, width=0.9, label=label)
        bottom = bottom + row
    _months(ax)
    ax.set_ylim(0, max(bottom.max(), 1e-9) * 1.45)  # head room for the legend
    ax.set_ylabel("Litter input (gC m$^{-2}$ month$^{-1}$)")
    ax.legend(ncols=2, loc="upper left", fontsize="small", columnspacing=1)
    return ax


def forcing_of_site(axes: Sequence[Axes], site: xr.Dataset) -> Sequence[Axes]:
    """Draw the forcing of one site: temperature, three scalars, litter input, sand.

    Parameters
    ----------
    axes : sequence of 6 Axes
        Soil temperature (degC), water, nitrogen and oxygen scalar (no unit) as images of month and
        depth (m); litter input (gC m-2 month-1) by month; sand (%) with the bedrock by depth (m).
    site : Dataset
        One site or cell in the common form (`sites.isel(site=0)`).

    Returns
    -------
    sequence of Axes

    Raises
    ------
    ValueError
        If there are not six axes, or more than one site.
    """
    if len(axes) != 6 or site["soil_temperature"].ndim != 2:
        raise ValueError(
            f"{len(axes)} axes and soil temperature of dimensions {site['soil_temperature'].dims} "
            "given: pass six axes and one site, for example sites.isel(site=0)"
        )
    grid = grid_of(site)
    celsius = site["soil_temperature"].values - 273.15
    month_by_depth(axes[0], grid.interface, celsius, "Soil temperature (°C)", cmap="cividis")
    for ax, name in zip(axes[1:4], ("water", "nitrogen", "oxygen"), strict=True):
        values = site[f"{name}_scalar"].values
        month_by_depth(ax, grid.interface, values, f"{name.title()} scalar (1)", limits=(0, 1))
    litter_input(axes[4], LITTER, site["litter_input"].values)
    axes[5].stairs(
        site["sand"].values, np.r_[0, grid.interface], orientation="horizontal", baseline=None,
        color=OKABE_ITO["orange"], lw=2,
    )  # fmt: skip
    number = int(site["bedrock_layer"])
    axes[5].axhspan(
        grid.interface[number - 1],
        grid.interface[-1],
        facecolor="none",
        edgecolor=GREY,
        hatch="///",
    )
    axes[5].set_xlim(0, 100)
    axes[5].set_xlabel("Sand (%), bedrock hatched")
    depth_axis(axes[5], float(grid.interface[-1]), "root")
    return axes
