"""python setup.py build_ext --inplace"""

import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

import fastnet

# Without OpenMP the parallel loop is a loop
OPENMP = ["-fopenmp"] if sys.platform == "linux" else []

setup(
    name="pendulum",
    ext_modules=cythonize([
        Extension("pendulum", ["pendulum.pyx"], include_dirs=[fastnet.get_include()],
                  extra_compile_args=OPENMP, extra_link_args=OPENMP),
    ]),
)  # fmt: skip
