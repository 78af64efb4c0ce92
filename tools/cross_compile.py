"""Compile every module for other platforms, here: ``python tools/cross_compile.py [TARGET...]``

The compiler is zig's clang (``pip install '.[cross]'``), which has the C libraries' headers of
Linux, macOS and Windows.  Each translated module is compiled to an object, with the flags and for
the instruction sets that setup.py has for that platform; a warning is a failure.

What is of this machine in the headers of Python and NumPy (the sizes of types, which system
headers exist) is overridden for the target.  Objects are not linked: nobody imports them.
"""

import argparse
import concurrent.futures
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
# zig's name of a target, and sysconfig.get_platform() there
TARGETS = {
    "aarch64-linux-gnu": "linux-aarch64",
    "x86_64-linux-musl": "linux-x86_64",
    "aarch64-macos": "macosx-11.0-arm64",
    "x86_64-macos": "macosx-10.13-x86_64",
    "x86_64-windows-gnu": "win-amd64",
    "aarch64-windows-gnu": "win-arm64",
}
# Of the host's pyconfig.h, what is not so elsewhere
PYCONFIG = {
    "linux": "",
    "macos": """
#undef HAVE_CRYPT_H
#undef HAVE_CRYPT_R
#undef HAVE_SYS_RANDOM_H
#undef HAVE_STD_ATOMIC
""",
    # CPython's own pyconfig.h of Windows is written by hand, and this stands in for it.
    "windows": """
#define MS_WINDOWS
#define MS_WIN32
#define MS_WIN64
#define NT_THREADS
#define Py_ENABLE_SHARED 1
#define HAVE_STDDEF_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_WCHAR_H 1
#define HAVE_DECL_ISNAN 1
#define SIZEOF_INT 4
#define SIZEOF_LONG 4
#define SIZEOF_LONG_LONG 8
#define SIZEOF_SIZE_T 8
#define SIZEOF_TIME_T 8
#define SIZEOF_VOID_P 8
#define SIZEOF_WCHAR_T 2
#define ALIGNOF_SIZE_T 8
#define ALIGNOF_MAX_ALIGN_T 16
#define WITH_THREAD 1
""",
}


def load_setup():
    """setup.py as a module."""
    spec = importlib.util.spec_from_file_location("fastnet_setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_headers(system, folder):
    """Python's and NumPy's headers as they would be on a system, in folder; its include paths."""
    python = Path(folder, "python")
    shutil.copytree(sysconfig.get_path("include"), python)
    overrides = PYCONFIG[system]
    if system == "windows":
        content = f"#ifndef Py_PYCONFIG_H\n#define Py_PYCONFIG_H\n{overrides}\n#endif\n"
    else:
        shutil.move(python / "pyconfig.h", python / "pyconfig_host.h")
        content = f'#include "pyconfig_host.h"\n{overrides}'
    (python / "pyconfig.h").write_text(content)
    numpy = Path(folder, "numpy")
    shutil.copytree(np.get_include(), numpy)
    config = numpy / "numpy/_numpyconfig.h"
    text = config.read_text()
    if system != "linux":
        text = re.sub(r"#define NPY_HAVE_ENDIAN_H 1", "", text)
    if system == "windows":
        text = re.sub(r"(NPY_SIZEOF_LONG) 8", r"\1 4", text)
    config.write_text(text)
    return [str(python), str(numpy)]


def compile_object(job):
    """Compile one file; its name and what the compiler had to say."""
    name, command = job
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return name, run.returncode, run.stderr


def jobs_for(target, setup, modules, folder):
    """The compiler's commands for each module that a target has."""
    platform_name = TARGETS[target]
    system = target.split("-")[1]
    headers = write_headers(system, folder)
    sets = setup.instruction_sets(platform_name)
    for module in modules:
        isa = setup.instruction_set(module.name)
        if isa and isa not in sets:
            continue
        flags = setup.FLAGS if system == "windows" else setup.UNIX_FLAGS
        macros = [*module.define_macros, *([setup.ALWAYS_INLINE] if isa else [])]
        includes = [*headers, str(ROOT / setup.KERNELS), str(ROOT / setup.INCLUDE)]
        output = Path(folder, f"{module.name}.o")
        # zig has clang's names of processors with underscores
        isa_flags = [flag.replace("x86-64-v", "x86_64_v") for flag in (sets[isa][1] if isa else [])]
        command = [
            sys.executable, "-m", "ziglang", "cc", "-target", target, "-c",
            setup.optimization(module.name), *flags, *isa_flags,
            *(f"-D{name}={value}" for name, value in macros),
            *(f"-I{path}" for path in includes),
            *([] if system == "windows" else ["-fPIC"]),
            module.sources[0], "-o", str(output),
        ]  # fmt: skip
        yield module.name, command


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--only", metavar="TEXT", default="", help="modules whose name has it")
    chosen = parser.parse_args(arguments)
    for target in chosen.targets:
        if target not in TARGETS:
            parser.error(f"{target} is unknown: expected one of {', '.join(TARGETS)}")
    if importlib.util.find_spec("ziglang") is None:
        sys.exit("ziglang is not installed: pip install '.[cross]'")

    os.chdir(ROOT)
    setup = load_setup()
    failed = False
    with tempfile.TemporaryDirectory(prefix="fastnet-cross.") as folder:
        every_set = setup.SCALAR | setup.X86 | setup.ARM
        wanted = [ext for ext in setup.extensions(every_set) if chosen.only in ext.name]
        modules = setup.translate(wanted, os.path.join(folder, "translated"))
        for target in chosen.targets or TARGETS:
            place = Path(folder, target)
            place.mkdir()
            warnings = errors = 0
            jobs = list(jobs_for(target, setup, modules, place))
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                for name, status, message in pool.map(compile_object, jobs):
                    warnings += message.count("warning:")
                    errors += status != 0
                    if message:
                        print(f"{target}, {name}:\n{message}", file=sys.stderr)
            summary = f"{len(jobs)} modules, {errors} failed, {warnings} warnings"
            print(f"{target}: {summary}", flush=True)
            failed |= bool(warnings or errors)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
