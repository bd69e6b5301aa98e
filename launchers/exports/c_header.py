"""A policy as one C header: C99, no dependency but <math.h>, no allocation."""

from collections.abc import Iterator, Sequence
import math

import numpy as np

from agents.deployed.layers import EPSILON
from datasets.tasks import Field, Task, offsets
from launchers.exports.network import LayerNorm, Linear, Step

_PER_LINE = 6
_ELEMENTWISE = {
  'tanh': 'tanhf({x})',
  'elu': '{x} > 0 ? {x} : expm1f({x})',
  'relu': '{x} > 0 ? {x} : 0',
  'clip': '{x} > 1 ? 1 : {x} < -1 ? -1 : {x}',
}
_HEAD = """/* {title}
 *
 * understudy_act(observation, action) maps {inputs} numbers, as the environment
 * gives them, to {outputs} numbers in [-1, 1], which stand for the low and the
 * high of each action. It holds no state: any thread may call it.
 *
{fields} */
#ifndef UNDERSTUDY_POLICY_H_
#define UNDERSTUDY_POLICY_H_

#include <math.h>

#define UNDERSTUDY_OBSERVATION_SIZE {inputs}
#define UNDERSTUDY_ACTION_SIZE {outputs}

"""
_CHECK = """/* cc -O2 -o check check.c -lm && ./check
 *
 * Whether this compiler's policy is that of vectors.npz: the largest difference
 * is printed, and the exit code is 0 where it is at most {tolerance:g}. */
#include <stdio.h>

#include "policy.h"

{vectors}
int main(void) {{
  float largest = 0;
  for (int n = 0; n < {count}; n++) {{
    float action[UNDERSTUDY_ACTION_SIZE];
    understudy_act(observations + n * UNDERSTUDY_OBSERVATION_SIZE, action);
    for (int i = 0; i < UNDERSTUDY_ACTION_SIZE; i++) {{
      const float expected = actions[n * UNDERSTUDY_ACTION_SIZE + i];
      largest = fmaxf(largest, fabsf(action[i] - expected));
      if (isnan(action[i])) largest = INFINITY;
    }}
  }}
  printf("%g\\n", largest);
  return largest <= {tolerance:g}f ? 0 : 1;
}}
"""


def header(steps: Sequence[Step], task: Task, title: str) -> str:
  """The text of policy.h.

  Args:
    steps: of the policy.
    task: what it acts in.
    title: for its first line.
  """
  inputs, outputs = task.spec
  fields = [
    *_describe('observation', task.observations),
    *_describe('action', task.actions),
  ]
  head = _HEAD.format(
    title=_comment(title), inputs=inputs, outputs=outputs,
    fields=''.join(f' * {_comment(line)}\n' for line in fields),
  )  # fmt: skip
  constants, body = [], []
  widest = max(len(s.bias) for s in steps if isinstance(s, Linear))
  width, source = inputs, 'observation'
  for number, step in enumerate(steps):
    if isinstance(step, Linear):
      target = 'x1' if source == 'x0' else 'x0'
      constants += [
        _array(f'understudy_w{number}', step.weights),
        _array(f'understudy_b{number}', step.bias),
      ]
      body.append(_linear(number, step, source, target))
      width, source = len(step.bias), target
    elif isinstance(step, LayerNorm):
      constants += [
        _array(f'understudy_scale{number}', step.scale),
        _array(f'understudy_offset{number}', step.offset),
      ]
      body.append(_norm(number, width, source))
    else:
      value = _ELEMENTWISE[step].format(x=f'{source}[i]')
      body.append(
        f'  for (int i = 0; i < {width}; i++) {source}[i] = {value};\n'
      )
  return (
    f'{head}{"".join(constants)}\n'
    'static void understudy_act(const float *observation, float *action) {\n'
    f'  float x0[{widest}], x1[{widest}];\n'
    f'{"".join(body)}'
    f'  for (int i = 0; i < {outputs}; i++) action[i] = {source}[i];\n'
    '}\n\n#endif\n'
  )


def check(
  observations: np.ndarray, actions: np.ndarray, tolerance: float
) -> str:
  """The text of check.c, which compares the header with vectors.

  Args:
    observations: [N, S] float32.
    actions: [N, A] float32, of the policy.
    tolerance: of an action.
  """
  vectors = _array('observations', observations) + _array('actions', actions)
  return _CHECK.format(
    vectors=vectors, count=len(observations), tolerance=tolerance
  )


def _linear(number: int, step: Linear, source: str, target: str) -> str:
  inputs, outputs = step.weights.shape
  return (
    f'  for (int o = 0; o < {outputs}; o++) {target}[o] = '
    f'understudy_b{number}[o];\n'
    f'  for (int i = 0; i < {inputs}; i++)\n'
    f'    for (int o = 0; o < {outputs}; o++)\n'
    f'      {target}[o] += {source}[i] * understudy_w{number}'
    f'[i * {outputs} + o];\n'
  )


def _norm(number: int, width: int, x: str) -> str:
  return (
    '  {\n'
    '    float mean = 0, variance = 0;\n'
    f'    for (int i = 0; i < {width}; i++) mean += {x}[i] / {width};\n'
    f'    for (int i = 0; i < {width}; i++)\n'
    f'      variance += ({x}[i] - mean) * ({x}[i] - mean) / {width};\n'
    f'    const float scale = 1 / sqrtf(variance + {EPSILON:g}f);\n'
    f'    for (int i = 0; i < {width}; i++)\n'
    f'      {x}[i] = ({x}[i] - mean) * scale * understudy_scale{number}[i]\n'
    f'        + understudy_offset{number}[i];\n'
    '  }\n'
  )


def _array(name: str, values: np.ndarray) -> str:
  """A constant; nine digits give a float32 back to the bit."""
  numbers = [f'{_literal(float(x))}' for x in values.ravel()]
  rows = (
    ', '.join(numbers[i : i + _PER_LINE])
    for i in range(0, len(numbers), _PER_LINE)
  )
  text = ',\n  '.join(rows)
  return f'static const float {name}[{values.size}] = {{\n  {text}\n}};\n'


def _literal(number: float) -> str:
  text = f'{number:.9g}'
  return f'{text}f' if set(text) & set('.e') else f'{text}.0f'


def _describe(what: str, fields: Sequence[Field]) -> Iterator[str]:
  for field, start in zip(fields, offsets(fields), strict=True):
    bounds = list(field.bounds)
    low, high = min(b[0] for b in bounds), max(b[1] for b in bounds)
    is_bounded = math.isfinite(low) or math.isfinite(high)
    within = f', in [{low:g}, {high:g}]' if is_bounded else ''
    unit = f' {field.unit}' if field.unit else ''
    last = start + field.size - 1
    yield f'{what}[{start}..{last}]: {field.name}{unit}{within}'


def _comment(text: str) -> str:
  """Text that cannot end a comment, whoever named a field."""
  return ''.join(c if c.isprintable() else ' ' for c in text).replace('*/', '')
