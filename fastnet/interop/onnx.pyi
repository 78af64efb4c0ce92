from fastnet.interop.onnx_export import to_onnx
from fastnet.interop.onnx_import import from_onnx

__all__ = ["from_onnx", "to_onnx"]
