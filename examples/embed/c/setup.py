"""python setup.py build_ext --inplace"""

from setuptools import Extension, setup

import fastnet

setup(
    name="scorer",
    ext_modules=[Extension("scorer", ["scorer.c"], include_dirs=[fastnet.get_include()])],
)
