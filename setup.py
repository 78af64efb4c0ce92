"""Extensions of fastnet: ordinary modules, and kernels for each instruction set and precision."""

import os
import platform
import sys
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

DEBUG = bool(int(os.environ.get("FASTNET_DEBUG", "0")))     # no optimisation, debug symbols
SANITIZE = os.environ.get("FASTNET_SANITIZE", "")           # e.g. "address,undefined"

# Bytes of a vector and the flags, for gcc or clang and for MSVC.  They never come from the
# processor of the build host.
X86 = {
    "baseline": (16, [], []),
    "avx2": (32, ["-march=x86-64-v3"], ["/arch:AVX2"]),
    "avx512": (64, ["-march=x86-64-v4", "-mprefer-vector-width=512"], ["/arch:AVX512"]),
}
INSTRUCTION_SETS = {"scalar": (0, [], [])}
# The interpreter's own platform, so that a cross build follows its target.
machine = os.environ.get("_PYTHON_HOST_PLATFORM", platform.machine()).lower()
if any(name in machine for name in ("x86_64", "amd64")):
    INSTRUCTION_SETS |= X86
elif any(name in machine for name in ("arm64", "aarch64")):
    INSTRUCTION_SETS |= {"baseline": (16, [], [])}

UNIX_FLAGS = [
    "-O0" if DEBUG else "-O3",
    "-g" if DEBUG or SANITIZE else "-g0",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=off",            # kernels say where they want a fused multiply-add
    "-fvisibility=hidden",
    # gcc would make a second copy of the register tile for rows that lie side by side, and then
    # keep the sums of both on the stack: half the speed.  clang ignores the flag.
    "-fno-version-loops-for-strides",
    "-Wno-unused-function",
    "-Wno-psabi",
]
ALWAYS_INLINE = ("CYTHON_INLINE", "inline __attribute__((always_inline))")

DIRECTIVES = {
    "language_level": 3,
    "cdivision": True,
    "freethreading_compatible": True,
    "auto_pickle": False,
    "autotestdict": False,
}
MACROS = [
    ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
    ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
]
KERNELS = Path("fastnet/_kernels")


def kernel_extensions():
    sources = sorted(str(path) for path in KERNELS.glob("*.pxi"))
    for isa, (vector_bytes, _, _) in INSTRUCTION_SETS.items():
        for dtype in ("float32", "float64"):
            yield Extension(
                f"fastnet._kernels.{isa}_{dtype}",
                [str(KERNELS / f"{isa}_{dtype}.pyx")],
                include_dirs=[str(KERNELS)],
                define_macros=[
                    ("FN_VECTOR_BYTES", str(vector_bytes)),
                    ("FN_DOUBLE", str(int(dtype == "float64"))),
                    ("FN_ISA", f'"{isa}"'),
                ],
                depends=[str(KERNELS / "simd.h"), *sources],
            )


def extensions():
    yield from kernel_extensions()
    for path in sorted(Path("fastnet").rglob("*.pyx")):
        if not path.stem.endswith(("_float32", "_float64")):
            name = ".".join(path.with_suffix("").parts)
            include = [np.get_include(), str(KERNELS)]
            yield Extension(name, [str(path)], include_dirs=include, define_macros=MACROS)


class BuildExtensions(build_ext):
    """Add the compiler's spelling of our flags; compile on all cores unless told otherwise."""

    def finalize_options(self):
        super().finalize_options()
        if self.parallel is None:
            self.parallel = os.cpu_count() or 1

    def build_extension(self, ext):
        isa = ext.name.rsplit(".", 1)[-1].split("_")[0]
        is_kernel = ext.name.startswith("fastnet._kernels.") and isa in INSTRUCTION_SETS
        _, unix_isa, msvc_isa = INSTRUCTION_SETS[isa] if is_kernel else (0, [], [])
        if self.compiler.compiler_type == "msvc":
            ext.extra_compile_args = ["/O2", *msvc_isa]
        else:
            ext.extra_compile_args = [*UNIX_FLAGS, *unix_isa]
            if is_kernel and not DEBUG:
                ext.define_macros = [*ext.define_macros, ALWAYS_INLINE]
            if SANITIZE:
                ext.extra_compile_args += [f"-fsanitize={SANITIZE}", "-fno-omit-frame-pointer"]
                ext.extra_link_args = [f"-fsanitize={SANITIZE}"]
            elif sys.platform.startswith("linux"):
                ext.extra_link_args = ["-Wl,--strip-debug"]
        super().build_extension(ext)


# Guarded, because cythonize starts processes, and on some platforms those import this file.
if __name__ == "__main__":
    setup(
        ext_modules=cythonize(
            list(extensions()),
            build_dir="build/cython-debug" if DEBUG else "build/cython",
            compiler_directives=DIRECTIVES,
            nthreads=0 if sys.platform == "win32" else os.cpu_count() or 1,
            quiet=True,
        ),
        cmdclass={"build_ext": BuildExtensions},
    )
