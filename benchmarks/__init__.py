"""Speed of fastnet beside that of other libraries, one thread each.

``python -m benchmarks.dense`` measures dense networks, ``python -m benchmarks.neat`` evolution;
``benchmarks.timing`` is how, for all parts.
"""

import os

# Numerical libraries read these when they are imported, so they are set before any of them is.
for _name in ("OMP", "MKL", "OPENBLAS", "BLIS", "NUMEXPR", "VECLIB_MAXIMUM"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"
os.environ["NPROC"] = "1"  # the thread pool of XLA
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
# Threads of the Inductor compiler would outlive the compilation.
os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
