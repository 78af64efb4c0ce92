"""Extensions of fastnet: ordinary modules, and kernels for each instruction set and precision."""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

DEBUG = bool(int(os.environ.get("FASTNET_DEBUG", "0")))     # no optimisation, debug symbols
SANITIZE = os.environ.get("FASTNET_SANITIZE", "")           # e.g. "address,undefined"

# Bytes of a vector and the flags.  They never come from the processor of the build host.
X86 = {
    "baseline": (16, []),
    "avx2": (32, ["-march=x86-64-v3"]),
    "avx512": (64, ["-march=x86-64-v4", "-mprefer-vector-width=512"]),
}
ARM = {"baseline": (16, [])}
SCALAR = {"scalar": (0, [])}

# Modules with loops of their own, and those whose calls cost as much as what they do.  All others
# around the kernels run once a call or less and are compiled for size, which makes the wheel a
# quarter smaller.
LOOPS = (
    "fastnet._chooks", "fastnet.neat._crossing", "fastnet.neat._crossover", "fastnet.neat.breeding",
    "fastnet.neat.graph", "fastnet.neat.mutation", "fastnet.neat.species", "fastnet.nn.network",
)  # fmt: skip
CALLS = (
    "fastnet._cython", "fastnet._workspace", "fastnet.nn.dense", "fastnet.optim.adaptive",
    "fastnet.optim.first_order", "fastnet.optim.optimizers", "fastnet.optim.sgd",
    "fastnet.training.loop", "fastnet.training.model", "fastnet.neat._genes",
    "fastnet.neat.network", "fastnet.neat.tasks.xor",
)  # fmt: skip

FLAGS = [
    "-g" if DEBUG or SANITIZE else "-g0",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=off",            # kernels say where they want a fused multiply-add
    "-Wno-unused-function",
    "-Wno-psabi",
]
UNIX_FLAGS = [*FLAGS, "-fvisibility=hidden"]
# Around the kernels, a fifteenth of a module are tables to walk the stack, and calls through stubs
# are longer.  Kernels keep the tables, so that profilers see who called what takes the time.
SMALL_FLAGS = ["-fno-asynchronous-unwind-tables", "-fno-plt"]
# What Cython puts into modules compiled for size: calls of the interpreter's functions instead of
# copies of them.
SMALL_MACROS = [
    ("CYTHON_USE_PYLONG_INTERNALS", "0"),
    ("CYTHON_USE_UNICODE_INTERNALS", "0"),
    ("CYTHON_FAST_THREAD_STATE", "0"),
]
# gcc would make a second copy of the register tile for rows that lie side by side, and then keep
# the sums of both on the stack: half the speed.  clang refuses the flag.
GCC_FLAGS = ["-fno-version-loops-for-strides"]
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
    ("CYTHON_COMPRESS_STRINGS", "0"),       # the wheel is compressed as a whole, and better
]
# What modules would each have a copy of, of Cython's own functions, typed memoryviews among them: a
# tenth of the wheel.  cythonize() writes the source of a module by this name.
SHARED = "fastnet._cython"
KERNELS = Path("fastnet/_kernels")
INCLUDE = Path("fastnet/include")       # fastnet.h


def choose_processor():
    """On macOS, compile for this processor alone where the interpreter is for two.

    Flags of an instruction set cannot be given to two processors at once.  ARCHFLAGS overrides.
    """
    name = sysconfig.get_platform()
    if name.endswith("universal2") and "ARCHFLAGS" not in os.environ:
        machine = platform.machine()
        os.environ["ARCHFLAGS"] = f"-arch {machine}"
        # macOS on ARM begins with 11
        name = "macosx-11.0-arm64" if machine == "arm64" else name.replace("universal2", machine)
        os.environ["_PYTHON_HOST_PLATFORM"] = name


def instruction_sets(platform_name):
    """Those of a platform as sysconfig.get_platform() gives it: linux-x86_64, win-arm64 ..."""
    if platform_name.endswith(("x86_64", "amd64")):
        return SCALAR | X86
    if platform_name.endswith(("arm64", "aarch64")):
        return SCALAR | ARM
    return SCALAR


def instruction_set(name):
    """That of a kernel module, None of any other."""
    isa, _, dtype = name.rpartition(".")[2].partition("_")
    return isa if dtype in ("float32", "float64") else None


def kernel_extensions(sets):
    sources = sorted(str(path) for path in KERNELS.glob("*.pxi"))
    for isa, (vector_bytes, _) in sets.items():
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


def extensions(sets):
    yield from kernel_extensions(sets)
    yield Extension(SHARED, [SHARED.replace(".", "/") + ".c"], define_macros=MACROS)
    for path in sorted(Path("fastnet").rglob("*.pyx")):
        name = ".".join(path.with_suffix("").parts)
        if instruction_set(name) is None:
            include = [np.get_include(), str(KERNELS), str(INCLUDE)]
            macros = [*MACROS, ("FN_BUILD", "1")] if name == "fastnet.capi" else MACROS
            yield Extension(name, [str(path)], include_dirs=include, define_macros=macros)


def translate(modules, build_dir, **options):
    """The extensions with C for sources, in build_dir."""
    return cythonize(
        modules,
        build_dir=build_dir,
        compiler_directives=DIRECTIVES,
        shared_utility_qualified_name=SHARED,
        quiet=True,
        **options,
    )


def find_clang_cl(compiler):
    """clang-cl: CC, on the path, or as Visual Studio or LLVM install it; None without."""
    cc = os.environ.get("CC", "")
    if Path(cc).stem.lower() == "clang-cl":
        return cc
    found = shutil.which("clang-cl")
    if found:
        return found
    # .../VC/Tools/MSVC/<version>/bin/Host<machine>/<machine>/cl.exe
    candidates = [
        parent / "Llvm" / machine / "bin/clang-cl.exe"
        for parent in Path(compiler.cc).parents
        if parent.name == "Tools"
        for machine in ("ARM64" if platform.machine() == "ARM64" else "x64", ".")
    ]
    programs = os.environ.get("PROGRAMFILES", "C:/Program Files")
    candidates.append(Path(programs, "LLVM/bin/clang-cl.exe"))
    return next((str(path) for path in candidates if path.is_file()), None)


def is_clang(command):
    """Whether a compiler, given as a list of words, is clang, also under the name of cc or gcc."""
    run = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    return "clang" in run.stdout.lower()


def optimization(name):
    """The flag for a module."""
    if DEBUG:
        return "-O0"
    isa = instruction_set(name)
    if isa not in (None, "scalar") or name in LOOPS:
        return "-O3"
    return "-O2" if isa or name.startswith(CALLS) else "-Os"


class BuildExtensions(build_ext):
    """Add the compiler's spelling of our flags; compile on all cores unless told otherwise."""

    def finalize_options(self):
        super().finalize_options()
        if self.parallel is None:
            self.parallel = os.cpu_count() or 1

    def build_extensions(self):
        self.clang_cl = None
        self.unix_flags = UNIX_FLAGS
        if self.compiler.compiler_type == "msvc":
            if not self.compiler.initialized:
                self.compiler.initialize(self.plat_name)
            self.clang_cl = find_clang_cl(self.compiler)
            if self.clang_cl:
                self.compiler.cc = self.clang_cl
                options = self.compiler.compile_options
                self.compiler.compile_options = [flag for flag in options if flag != "/GL"]
            else:
                self.keep_only({"scalar"}, "clang-cl was not found, and MSVC has no vector types")
        elif self.compiler.compiler_type in ("mingw32", "cygwin"):
            reason = "gcc on Windows keeps vectors of 32 bytes on a stack that is aligned to 16"
            self.keep_only({"scalar", "baseline"}, reason)
        if self.compiler.compiler_type != "msvc" and not is_clang(self.compiler.compiler_so):
            self.unix_flags = [*UNIX_FLAGS, *GCC_FLAGS]
        super().build_extensions()

    def keep_only(self, sets, reason):
        kept = [ext for ext in self.extensions if instruction_set(ext.name) in (None, *sets)]
        if len(kept) < len(self.extensions):
            self.warn(f"{reason}: only kernels for {', '.join(sorted(sets))} are built, and slow")
        self.extensions[:] = kept

    def build_extension(self, ext):
        isa = instruction_set(ext.name)
        isa_flags = (SCALAR | X86 | ARM)[isa][1] if isa else []
        if self.clang_cl:
            machine = "aarch64" if self.plat_name == "win-arm64" else "x86_64"
            flags = [f"/clang:{flag}" for flag in (optimization(ext.name), *FLAGS, *isa_flags)]
            ext.extra_compile_args = [f"--target={machine}-pc-windows-msvc", *flags]
        elif self.compiler.compiler_type == "msvc":
            ext.extra_compile_args = ["/O2"]
        else:
            ext.extra_compile_args = [optimization(ext.name), *self.unix_flags, *isa_flags]
            if SANITIZE:
                ext.extra_compile_args += [f"-fsanitize={SANITIZE}", "-fno-omit-frame-pointer"]
                ext.extra_link_args = [f"-fsanitize={SANITIZE}"]
            elif sys.platform.startswith("linux"):
                ext.extra_link_args = ["-Wl,--strip-all"]
                if not (isa or DEBUG):
                    ext.extra_compile_args += SMALL_FLAGS
        if optimization(ext.name) == "-Os":
            ext.define_macros = [*ext.define_macros, *SMALL_MACROS]
        if isa and not DEBUG and (self.clang_cl or self.compiler.compiler_type != "msvc"):
            ext.define_macros = [*ext.define_macros, ALWAYS_INLINE]
        super().build_extension(ext)


# Guarded, because cythonize starts processes, and on some platforms those import this file.
if __name__ == "__main__":
    choose_processor()
    setup(
        ext_modules=translate(
            list(extensions(instruction_sets(sysconfig.get_platform()))),
            "build/cython-debug" if DEBUG else "build/cython",
            nthreads=0 if sys.platform == "win32" else os.cpu_count() or 1,
        ),
        cmdclass={"build_ext": BuildExtensions},
    )
