"""A package of somebody else, compiled against the installed fastnet."""

from Cython.Build import cythonize
from setuptools import Extension, setup

import fastnet

setup(
    name="consumer",
    ext_modules=cythonize(
        [Extension("consumer", ["consumer.pyx"], include_dirs=[fastnet.get_include()])],
        language_level=3,
    ),
)
