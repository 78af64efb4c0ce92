"""ONNX Runtime: prediction only, through ``run`` and through bound memory."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.jobs import layers
from benchmarks.peers import Adapter

TRAINING = ()
PREDICTION = ("run", "bound")
OPERATORS = {"tanh": "Tanh", "relu": "Relu", "softmax": "Softmax"}


def model(job, parameters):
    """The network as an ONNX model: one Gemm and one activation a layer."""
    nodes, initializers, value = [], [], "x"
    for k, (weights, biases) in enumerate(layers(job.sizes, parameters)):
        initializers += [
            numpy_helper.from_array(weights.copy(), f"weights{k}"),
            numpy_helper.from_array(biases.copy(), f"biases{k}"),
        ]
        nodes.append(helper.make_node("Gemm", [value, f"weights{k}", f"biases{k}"], [f"z{k}"]))
        value = f"z{k}"
        operator = OPERATORS.get(job.activations[k])
        if operator is not None:
            nodes.append(helper.make_node(operator, [value], [f"a{k}"]))
            value = f"a{k}"
    nodes[-1].output[0] = "y"
    kind = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}[job.dtype]
    graph = helper.make_graph(
        nodes,
        job.name,
        [helper.make_tensor_value_info("x", kind, ["rows", job.sizes[0]])],
        [helper.make_tensor_value_info("y", kind, ["rows", job.sizes[-1]])],
        initializers,
    )
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(result)
    return result


class Peer(Adapter):
    def reset(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            model(self.job, self.initial).SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
        )

    def native(self, x):
        """The rows, the memory for the outputs and a binding of both to the session."""
        x = np.atleast_2d(x)
        y = np.empty((len(x), self.job.sizes[-1]), x.dtype)
        binding = self.session.io_binding()
        # The values share the memory of the arrays but do not keep it alive.
        binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
        binding.bind_ortvalue_output("y", onnxruntime.OrtValue.ortvalue_from_numpy(y))
        return x, y, binding

    def predict(self, x, n=1):
        rows, outputs, binding = x
        if self.variant == "bound":
            for _ in range(n):
                self.session.run_with_iobinding(binding)
            return outputs
        for _ in range(n):
            outputs = self.session.run(None, {"x": rows})[0]
        return outputs
