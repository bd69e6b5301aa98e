"""A policy as an ONNX file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from agents.deployed.layers import EPSILON
from launchers.exports.network import LayerNorm, Linear, Step

_OPSET = 17  # The first with LayerNormalization.
_FORMAT = 8  # Of the file, which goes with it: older runtimes read that.
_OPERATIONS = {'tanh': 'Tanh', 'elu': 'Elu', 'relu': 'Relu', 'clip': 'Clip'}


def write(
  steps: Sequence[Step], widths: tuple[int, int], path: Path, title: str
) -> None:
  """Writes a graph from `observation`, [B, S], to `action`, [B, A], float32.

  Args:
    steps: of the policy.
    widths: S and A.
    path: of the file.
    title: a line that says whose policy it is.
  """
  nodes, constants = [], []
  last = 'observation'

  def constant(name: str, value: np.ndarray) -> str:
    constants.append(numpy_helper.from_array(value, name))
    return name

  for number, step in enumerate(steps):
    name = f'x{number}' if number < len(steps) - 1 else 'action'
    if isinstance(step, str):
      bounds = [
        constant(f'{number}_{end}', np.array(value, np.float32))
        for end, value in (('low', -1), ('high', 1))
        if step == 'clip'
      ]
      node = helper.make_node(_OPERATIONS[step], [last, *bounds], [name])
    else:
      arrays = [
        constant(f'{number}_{field}', value)
        for field, value in zip(step._fields, step, strict=True)
      ]
      kind, options = _kind(step)
      node = helper.make_node(kind, [last, *arrays], [name], **options)
    nodes.append(node)
    last = name
  ends = [
    helper.make_tensor_value_info(end, TensorProto.FLOAT, ['batch', width])
    for end, width in zip(('observation', 'action'), widths, strict=True)
  ]
  graph = helper.make_graph(nodes, 'policy', ends[:1], ends[1:], constants)
  model = helper.make_model(
    graph, opset_imports=[helper.make_opsetid('', _OPSET)], doc_string=title
  )
  model.ir_version = _FORMAT
  onnx.checker.check_model(model, full_check=True)
  path.write_bytes(model.SerializeToString())


def _kind(step: Linear | LayerNorm) -> tuple[str, dict[str, float]]:
  if isinstance(step, Linear):
    return 'Gemm', {}
  return 'LayerNormalization', {'epsilon': EPSILON}
