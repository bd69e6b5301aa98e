"""What both ends of the teacher service agree on: see service.proto."""

from collections.abc import Iterator, Sequence
import itertools
import math
from typing import Any

from google.protobuf.message import DecodeError
import numpy as np

from datasets.tasks import MAX_AXES, Bounds, Field, Task, offsets
from teachers import service_pb2 as pb
from teachers.base import Kind

SERVICE = pb.DESCRIPTOR.services_by_name['Teacher'].full_name
METHODS: dict[Kind, str] = {
  'actions': 'Actions',
  'action_gradients': 'ActionGradients',
}

MAX_BYTES = 64 << 20
"""Of one message, either way."""
MAX_ROWS = 65_536
"""Of one batch."""
BLOCK_ROWS = 4_096
"""Of one question that we send, and of one that we put to a teacher: the layers
of a network take many times the bytes of its input."""
MAX_FIELDS = 1_000
"""Of one task."""
MAX_NAME = 200
"""Characters of a name, a version or a unit."""
_MAX_DETAILS = 1_000  # Bytes; gRPC may take three for one, of some 8,000.

_DTYPE = np.dtype('<f4')

OPTIONS: tuple[tuple[str, Any], ...] = (
  ('grpc.max_receive_message_length', MAX_BYTES),
  ('grpc.max_send_message_length', MAX_BYTES),
)


class MessageError(ValueError):
  """Bytes that are not the message they should be; says what is wrong."""


def parse(message_type: type, data: bytes) -> Any:
  """A message of `message_type`.

  Raises:
    MessageError: `data` is none.
  """
  message = message_type()
  try:
    read = message.ParseFromString(data)
  except DecodeError as error:
    raise MessageError(
      f'{len(data)} bytes are no {message_type.__name__}: {error}.'
    ) from error
  if read != len(data):  # The parser stopped early, content with it.
    raise MessageError(
      f'{len(data)} bytes are no {message_type.__name__}: it ends after {read}.'
    )
  return message


def encode(array: np.ndarray) -> Any:
  """The Tensor of a float32 array of any rank."""
  data = np.ascontiguousarray(array, _DTYPE).tobytes()
  return pb.Tensor(shape=array.shape, data=data)


def decode(what: str, tensor: Any) -> np.ndarray:
  """The float32 matrix of a Tensor, writable.

  Args:
    what: names it in errors.
    tensor: from anyone.

  Raises:
    MessageError: it has not rank 2, or its bytes do not fill its shape.
  """
  if len(tensor.shape) != 2:
    raise MessageError(f'{what} have rank {len(tensor.shape)}; send rank 2.')
  shape = tuple(tensor.shape)
  needed = math.prod(shape) * _DTYPE.itemsize
  if len(tensor.data) != needed:
    raise MessageError(
      f'{what} of shape {shape} need {needed} bytes of float32; there are '
      f'{len(tensor.data)}.'
    )
  values = np.frombuffer(tensor.data, _DTYPE).reshape(shape)
  return values.astype(np.float32)


def decode_request(
  what: str, tensor: Any, width: int, bound: float = math.inf
) -> np.ndarray:
  """The [B, width] float32 array that a client sent.

  Args:
    what: names it in errors.
    tensor: from anyone.
    width: that it must have.
    bound: of its values, both ways.

  Raises:
    MessageError: it is none, empty, too long, not finite or out of bounds.
  """
  values = decode(what, tensor)
  rows, columns = values.shape
  if not 1 <= rows <= MAX_ROWS:
    raise MessageError(
      f'{what} have {rows} rows; send between 1 and {MAX_ROWS} at a time.'
    )
  if columns != width:
    raise MessageError(
      f'{what} have {columns} columns; this teacher takes {width}.'
    )
  if not np.isfinite(values).all():
    where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
    raise MessageError(
      f'{what}{list(where)} = {values[where]}; every value must be finite.'
    )
  if (beyond := np.abs(values) > bound).any():
    where = tuple(int(i) for i in np.argwhere(beyond)[0])
    raise MessageError(
      f'{what}{list(where)} = {values[where]}; every value must lie in '
      f'[{-bound:g}, {bound:g}].'
    )
  return values


def blocks(rows: int, most: int) -> Iterator[slice]:
  """What so many rows are cut into, for no block to have more than `most`."""
  for start in range(0, rows, most):
    yield slice(start, min(start + most, rows))


def encode_task(task: Task) -> Any:
  """The Task message of a task."""
  return pb.Task(
    name=task.name,
    observations=_encode_fields(task.observations),
    actions=_encode_fields(task.actions),
  )


def decode_task(message: Any, observation_size: int, action_size: int) -> Task:
  """The task that a Task message describes.

  Args:
    message: from anyone.
    observation_size: S, that the task must have.
    action_size: A.

  Raises:
    MessageError: it is too long, or its fields do not fill these widths.
  """
  fields = [*message.observations, *message.actions]
  if len(fields) > MAX_FIELDS:
    raise MessageError(
      f'The task has {len(fields)} fields; give at most {MAX_FIELDS}.'
    )
  for text in (message.name, *(t for f in fields for t in (f.name, f.unit))):
    if not is_name(text or '-'):
      raise MessageError(
        f'The task has {printable(text)!r} as a name or a unit: give at most '
        f'{MAX_NAME} printable characters.'
      )
  try:
    return Task(
      message.name,
      observation_size,
      action_size,
      _decode_fields(message.observations),
      _decode_fields(message.actions),
    )
  except ValueError as error:
    raise MessageError(f'The task is none: {error}') from error


def _encode_fields(fields: Sequence[Field]) -> list[Any]:
  return [
    pb.Field(
      name=field.name,
      offset=offset,
      size=field.size,
      shape=field.shape,
      unit=field.unit,
      low=_encode_bounds(field.low),
      high=_encode_bounds(field.high),
    )
    for field, offset in zip(fields, offsets(fields), strict=True)
  ]


def _encode_bounds(bounds: Bounds) -> Sequence[float]:
  if isinstance(bounds, tuple):
    return bounds
  return [bounds] if math.isfinite(bounds) else []


def _decode_fields(messages: Sequence[Any]) -> tuple[Field, ...]:
  """The fields; raises ValueError where they contradict themselves."""
  starts = [0, *itertools.accumulate(message.size for message in messages)]
  fields = []
  for message, start in zip(messages, starts, strict=False):
    if len(message.shape) > MAX_AXES:  # Their product would take for ever.
      raise ValueError(f'a shape has {len(message.shape)} axes')
    alone = () if message.size == 1 else (message.size,)
    shape = tuple(message.shape) or alone
    if message.offset != start or math.prod(shape) != message.size:
      raise ValueError(
        f'the field {message.name!r} has offset {message.offset}, size '
        f'{message.size} and shape {shape}; its offset must be {start}, and '
        'its size that of its shape.'
      )
    low = _decode_bounds(message.low, -math.inf)
    high = _decode_bounds(message.high, math.inf)
    fields.append(Field(message.name, shape, low, high, message.unit))
  return tuple(fields)


def _decode_bounds(values: Sequence[float], infinity: float) -> Bounds:
  if len(values) < 2:
    return values[0] if values else infinity
  return tuple(values)


def is_name(text: str) -> bool:
  """Whether a peer's name or version is one that can be shown and kept."""
  return 1 <= len(text) <= MAX_NAME and text.isprintable()


def printable(text: str) -> str:
  """A peer's words, safe on a screen: one line, no controls, not endless."""
  line = ''.join(c if c.isprintable() else ' ' for c in text[:_MAX_DETAILS])
  kept = line.encode()[:_MAX_DETAILS].decode(errors='ignore')
  return kept + '…' * (len(kept) < len(text))
