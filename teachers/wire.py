"""What both ends of the teacher service agree on: see service.proto."""

import math
from typing import Any

from google.protobuf.message import DecodeError
import numpy as np

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
_MAX_DETAILS = 1_000

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


def decode_request(what: str, tensor: Any, width: int) -> np.ndarray:
  """The [B, width] float32 array that a client sent.

  Raises:
    MessageError: it is none, is empty, too long or not finite.
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
  return values


def printable(text: str) -> str:
  """A peer's words, safe on a screen: one line, no controls, not endless."""
  line = ''.join(c if c.isprintable() else ' ' for c in text[:_MAX_DETAILS])
  return line + '…' * (len(text) > _MAX_DETAILS)
