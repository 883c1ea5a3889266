"""PRODA: process-guided deep learning and data-driven modelling of soil organic carbon.

The library under the book. One noun of the science per module; nothing is read at import.
Start with `proda_lib.studies.load`, `proda_lib.matrices` and `proda_lib.steady_state`.
"""

__version__ = "0.1.0"
