"""Arrays and metadata as the bytes of an .npz file, without pickle."""

from collections.abc import Mapping
import io
import json
from typing import Any

import numpy as np

from datasets import npy
from datasets.schema import shortened

_METADATA = 'metadata'


def pack(
  arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any], kind: str
) -> bytes:
  """Makes an .npz file; equal contents make equal bytes.

  Args:
    arrays: by name.
    metadata: of JSON's types.
    kind: what the file is, and the version of its format.

  Returns:
    The file. Its array 'metadata' is JSON in UTF-8.
  """
  text = json.dumps({'kind': kind, 'metadata': metadata}, sort_keys=True)
  header = np.frombuffer(text.encode(), np.uint8)
  buffer = io.BytesIO()
  np.savez(buffer, **{_METADATA: header}, **arrays)
  return buffer.getvalue()


def unpack(
  data: bytes, kind: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
  """Reads what `pack` made.

  Raises:
    ValueError: the bytes are something else; the message says what is wrong.
  """
  try:
    members = npy.read_archive(data)
    arrays = {name: npy.read_array(m) for name, m in members.items()}
    header = json.loads(arrays.pop(_METADATA).tobytes())
    if 'kind' not in header:
      raise ValueError('it does not say what it is')
    if header['kind'] != kind:
      raise ValueError(f'it says that it is {shortened(header["kind"])}')
    metadata = header['metadata']
    if not isinstance(metadata, dict):
      raise ValueError('its metadata is no dictionary')
  except (KeyError, RecursionError, TypeError, ValueError) as error:
    raise ValueError(
      f'These {len(data)} bytes are no {kind}: {error or type(error).__name__}.'
    ) from error
  return arrays, metadata
