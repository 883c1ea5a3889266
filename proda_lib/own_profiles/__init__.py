"""Your own soil profiles: a documented table, a check that explains it, and a study made from it.

The order is columns -> read -> check -> table; `proda_lib.studies.own` makes the study.
"""

from __future__ import annotations
