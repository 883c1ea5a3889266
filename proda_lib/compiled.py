"""How JAX is set up: double precision, and compiled functions kept on disk.

Import this module before `jax.numpy` is used. Compiled functions are shared by notebooks, tests and
workers through the cache folder, so a function is compiled once per machine and version.
"""

from __future__ import annotations

import jax

from proda_lib import paths

__all__ = ["jax"]

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_compilation_cache_dir", str(paths.cache() / "jax"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
