"""A teacher in one file: Python 3.8 or later, grpcio and NumPy, nothing else.

Change what stands between the two lines, then: python teacher.py --port 50051
"""

import argparse
from concurrent import futures

import grpc
import numpy as np

# ---------------------------------------------------------------- yours: begin
NAME = 'cartpole-by-hand'
VERSION = '1'  # Change it whenever the advice changes.
# Of what: `python -m launchers.describe cartpole-swingup` prints the fields.
TASK = 'cartpole-swingup'
OBSERVATION_SIZE = 5  # Position, cos, sin; velocity, angular velocity.
ACTION_SIZE = 1


def actions(observations):
  """[B, S] float32 -> [B, A] in [-1, 1]: what you would do.

  Far from upright it pumps energy into the pole; near it, it balances.
  """
  position, cosine, sine, velocity, spin = observations.T
  energy = spin**2 / 29.4 + cosine - 1  # 0: just enough to reach the top.
  swing = energy * np.sign(spin * cosine) - 0.5 * position - 0.2 * velocity
  balance = 8 * sine + 2 * spin + 0.5 * position + 0.8 * velocity
  force = np.where(cosine > 0.8, balance, swing)
  return np.clip(force, -1, 1)[:, None]


def action_gradients(observations, given):
  """[B, S], [B, A] float32 -> [B, A]: where each action should move."""
  return actions(observations) - given


# ------------------------------------------------------------------ yours: end

SERVICE = 'understudy.teachers.v1.Teacher'
LIMIT = 64 << 20  # Bytes of a message.


def read_varint(data, at):
  """A protocol-buffer integer at `at`, and where the next thing starts."""
  value = shift = 0
  while True:
    byte = data[at]
    value |= (byte & 127) << shift
    at, shift = at + 1, shift + 7
    if byte < 128:
      return value, at


def fields(data):
  """The (number, value) pairs of a message: integers and byte strings."""
  at = 0
  while at < len(data):
    key, at = read_varint(data, at)
    value, at = read_varint(data, at)
    if key & 7 == 2:  # `value` is the length of the bytes that follow.
      value, at = data[at : at + value], at + value
    elif key & 7:
      raise ValueError(f'wire type {key & 7}')
    yield key >> 3, value


def varint(value):
  """A protocol-buffer integer."""
  data = bytearray()
  while value > 127:
    data.append(value & 127 | 128)
    value >>= 7
  data.append(value)
  return bytes(data)


def field(number, value):
  """One field: an integer, a text or bytes."""
  if isinstance(value, int):
    return varint(number << 3) + varint(value)
  data = value.encode() if isinstance(value, str) else value
  return varint(number << 3 | 2) + varint(len(data)) + data


def read_tensor(data, width):
  """The [B, width] float32 array of a Tensor message."""
  values = np.frombuffer(dict(fields(data))[2], '<f4').reshape(-1, width)
  if not len(values) or not np.isfinite(values).all():
    raise ValueError('a tensor is empty or not finite')
  return values


def advice(values, batch):
  """An Advice message that holds [B, A]."""
  values = np.ascontiguousarray(values, '<f4')
  if values.shape != (batch, ACTION_SIZE):
    raise ValueError(f'gave {values.shape}, not {(batch, ACTION_SIZE)}')
  shape = b''.join(varint(size) for size in values.shape)
  tensor = field(1, shape) + field(2, values.tobytes())
  return field(1, tensor) + field(2, VERSION)


def describe(request, context):
  """The call Describe."""
  return (
    field(1, NAME) + field(2, VERSION)
    + field(3, OBSERVATION_SIZE) + field(4, ACTION_SIZE)
    + field(5, 1) + field(6, 1)  # 0: it gives no actions, no gradients.
    + field(7, field(1, TASK))
  )  # fmt: skip


def give_actions(request, context):
  """The call Actions."""
  observations = read_tensor(dict(fields(request))[1], OBSERVATION_SIZE)
  return advice(actions(observations), len(observations))


def give_action_gradients(request, context):
  """The call ActionGradients."""
  parts = dict(fields(request))
  observations = read_tensor(parts[1], OBSERVATION_SIZE)
  given = read_tensor(parts[2], ACTION_SIZE)
  return advice(action_gradients(observations, given), len(observations))


def main():
  """Serves until it is stopped; on this machine only."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--port', type=int, default=50051, help='0: any')
  port = parser.parse_args().port
  calls = {
    'Describe': describe,
    'Actions': give_actions,
    'ActionGradients': give_action_gradients,
  }
  handlers = {
    name: grpc.unary_unary_rpc_method_handler(call)
    for name, call in calls.items()
  }
  server = grpc.server(
    futures.ThreadPoolExecutor(4),
    options=[
      ('grpc.so_reuseport', 0),
      ('grpc.max_receive_message_length', LIMIT),
      ('grpc.max_send_message_length', LIMIT),
    ],
  )
  generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
  server.add_generic_rpc_handlers((generic,))
  port = server.add_insecure_port(f'127.0.0.1:{port}')
  server.start()
  print(f'grpc://127.0.0.1:{port} serves {NAME}', flush=True)
  server.wait_for_termination()


if __name__ == '__main__':
  main()
