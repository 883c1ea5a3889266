"""The published study's own inputs: what the studies `conus` and `global` are read from.

Modules in the order of the work: source (files) -> forcing, layers -> profiles, filters,
covariates -> build -> conus, world.
"""

from __future__ import annotations
