"""The numbers of a log, in the order and units of a system's description."""

from collections.abc import Sequence

import numpy as np

from datasets import closest
from datasets.formats.raw import RawEpisode
from datasets.tasks import Field, offsets
from datasets.validation import EpisodeRefused
from launchers.environments.described import UNITS, unit_of
from launchers.logs.columns import Columns

_TOLERANCE = 1e-5  # Of a bound, as a part of its range: of logs in float32.


def of_column(raw: RawEpisode, name: str) -> np.ndarray:
  """A column as numbers.

  Returns:
    [T, N] float64.

  Raises:
    EpisodeRefused: there is none, or it holds no numbers.
  """
  if name not in raw.columns:
    hint = closest.among(name, raw.columns)
    raise EpisodeRefused(f'it has no column {name!r}.{hint}')
  try:
    values = np.asarray(raw.columns[name]).astype(np.float64)
  except (ValueError, TypeError) as error:
    raise EpisodeRefused(f'its column {name!r} holds no numbers.') from error
  if not values.ndim:
    raise EpisodeRefused(f'its column {name!r} holds one number for all rows.')
  return values.reshape(len(values), -1)


def of_fields(
  raw: RawEpisode,
  fields: Sequence[Field],
  usual: Sequence[str],
  columns: Columns,
) -> tuple[np.ndarray, tuple[str, ...]]:
  """What a log has of some fields, in its own units.

  Args:
    raw: the log.
    fields: that are looked for, under the names that `columns` says, their own,
      NAME_0 … where they are of several numbers, or else all together.
    usual: names of a column of them all.
    columns: of the log.

  Returns:
    [T, N] float64, and the columns that it came from.

  Raises:
    EpisodeRefused: a field is not there, or not of its size.
  """
  found = [_names_of(raw, field, columns) for field in fields]
  if not any(found):
    whole = next((name for name in usual if name in raw.columns), None)
    if whole is not None:
      return _joined(raw, (whole,), sum(f.size for f in fields), whole), (
        whole,
      )
  parts = [
    _joined(raw, names or (field.name,), field.size, field.name)
    for names, field in zip(found, fields, strict=True)
  ]
  return np.concatenate(parts, axis=1), tuple(
    n for names in found for n in names
  )


def _names_of(
  raw: RawEpisode, field: Field, columns: Columns
) -> tuple[str, ...]:
  """The columns of a field; () where there are none."""
  if field.name in columns.fields:
    return columns.fields[field.name]
  if field.name in raw.columns:
    return (field.name,)
  numbered = tuple(f'{field.name}_{i}' for i in range(field.size))
  return numbered if all(name in raw.columns for name in numbered) else ()


def _joined(
  raw: RawEpisode, names: Sequence[str], size: int, what: str
) -> np.ndarray:
  parts = [of_column(raw, name) for name in names]
  joined = np.concatenate(parts, axis=1)
  if joined.shape[1] != size:
    raise EpisodeRefused(
      f'{what!r} has {joined.shape[1]} numbers a row in it, but {size} in the '
      'description.'
    )
  return joined


def in_units(
  values: np.ndarray, fields: Sequence[Field], columns: Columns
) -> np.ndarray:
  """Values [..., N] in the units of the description."""
  converted = values.copy()
  for start, field in zip(offsets(fields), fields, strict=True):
    if field.name in columns.units:
      part = slice(start, start + field.size)
      quantity = UNITS.Quantity(
        values[..., part], unit_of(columns.units[field.name])
      )
      converted[..., part] = quantity.to(unit_of(field.unit)).magnitude
  return converted


def check(values: np.ndarray, fields: Sequence[Field]) -> None:
  """Refuses what is not finite, or beyond its bound.

  Args:
    values: [T, N] in the units of the description.
    fields: of these N numbers.

  Raises:
    EpisodeRefused: names the row, the value and the bound.
  """
  names = [(f, i) for f in fields for i in range(f.size)]
  bounds = np.array([pair for f in fields for pair in f.bounds])  # [N, 2]
  low, high = bounds[:, 0], bounds[:, 1]
  with np.errstate(invalid='ignore'):
    slack = np.where(np.isfinite(high - low), (high - low) * _TOLERANCE, 0.0)
  wrong = (
    ~np.isfinite(values) | (values < low - slack) | (values > high + slack)
  )
  if wrong.any():
    row, number = (int(i) for i in np.argwhere(wrong)[0])
    field, index = names[number]
    place = f'{field.name}[{index}]' if field.size > 1 else field.name
    value, unit = values[row, number], f' {field.unit}' if field.unit else ''
    reason = (
      f'{value:g}{unit}, beyond its bounds {low[number]:g} to {high[number]:g}'
      if np.isfinite(value)
      else f'{value}, where a number is needed'
    )
    raise EpisodeRefused(f'row {row} of it: {place} is {reason}.')


def canonical(actions: np.ndarray, fields: Sequence[Field]) -> np.ndarray:
  """Actions [T, A] from their lows and highs to [-1, 1], as float32."""
  bounds = np.array([pair for f in fields for pair in f.bounds])  # [A, 2]
  low, high = bounds[:, 0], bounds[:, 1]
  scaled = 2 * (actions - low) / (high - low) - 1
  return np.clip(scaled, -1, 1).astype(np.float32)


def by_field(
  values: np.ndarray, fields: Sequence[Field]
) -> dict[str, np.ndarray]:
  """Values [T, N] as [T, *shape] of each field, by its name."""
  return {
    field.name: values[:, start : start + field.size].reshape(
      len(values), *field.shape
    )
    for start, field in zip(offsets(fields), fields, strict=True)
  }
