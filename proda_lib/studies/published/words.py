"""What is to be said about both studies of the published inputs."""

from __future__ import annotations

__all__ = ["ABOUT", "CITATION", "DIFFERENCES", "LICENCE"]

ABOUT = (
    "Soil profiles of the World Soil Information Service (WoSIS, snapshot of 2019) and of the "
    "collections of Hugelius and of Mishra for frozen ground, as merged by the authors of the "
    "published global study, with the monthly climatology of a CESM2/CLM5 spin-up at the nearest "
    "of 384 x 576 cells and 60 environmental covariates; and half-degree cells with the same."
)

LICENCE = (
    "The files are those of Hardyxu8067/BINN (MIT). They are fetched from their source and not "
    "redistributed here. WoSIS snapshots are published by ISRIC; their terms and those of the "
    "other collections apply to the profiles."
)

CITATION = (
    "Data files: Hardyxu8067/BINN, commit 80899b3. Profiles: Batjes, N. H., Ribeiro, E. and van "
    "Oostrum, A. (2020), Standardised soil profile data to support global mapping and modelling "
    "(WoSIS snapshot 2019), Earth System Science Data 12, 299, doi:10.5194/essd-12-299-2020. "
    "Method: Tao, F. et al. (2020), Frontiers in Big Data 3, 17, doi:10.3389/fdata.2020.00017; "
    "Tao, F. et al. (2023), Nature 618, 981, doi:10.1038/s41586-023-06042-3."
)

DIFFERENCES = (
    "The published data assimilation weighs layers by rank and anneals its acceptance; our main "
    "sampler does not. The chapter on the original sampler compares both.",
    "Bulk density of many layers comes from a pedotransfer function, and SOC is not corrected for "
    "coarse fragments; the files do not say by how much that matters.",
    "Sampling dates differ by decades, the spin-up is a steady state: SOC of any date is compared "
    "with it.",
    "Many sites share a cell of the spin-up: differences between them can come from covariates "
    "alone.",
)
