"""Without the library that a method needs: which extra brings it."""

import subprocess
import sys

import numpy as np
import pytest

import fastnet as fn

CALLS = {
    "to_torch": ("torch", lambda: fn.Network([2, 1]).to_torch()),
    "from_torch": ("torch", lambda: fn.Network.from_torch(None)),
    "from_sklearn": ("sklearn", lambda: fn.Network.from_sklearn(None)),
    "to_onnx": ("onnx", lambda: fn.Network([2, 1]).to_onnx()),
    "from_onnx": ("onnx", lambda: fn.Network.from_onnx(b"")),
}


@pytest.mark.parametrize("call", CALLS)
def test_the_error_names_the_extra(call, monkeypatch):
    extra, function = CALLS[call]
    for name in [name for name in sys.modules if name.partition(".")[0] == extra]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(ImportError, match=rf"pip install 'fastnet\[{extra}\]'"):
        function()


def test_nothing_is_imported_before_it_is_needed():
    code = (
        "import sys, fastnet as fn; fn.Network([2, 1])(" + repr(np.zeros(2).tolist()) + "); "
        "import fastnet.interop.torch, fastnet.interop.onnx, fastnet.interop.sklearn; "
        "print({'torch', 'onnx', 'sklearn'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
