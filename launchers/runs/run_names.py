"""What a run may be called: its name is that of a directory and of files."""

import urllib.parse

from datasets import bounds
from datasets.schema import shortened

_LONGEST = 100  # Characters.
_LONGEST_QUOTED = 200  # Bytes; a file of an episode adds its numbers.


def check(name: str) -> str:
  """Refuses a name that cannot be that of a directory, here or elsewhere.

  Args:
    name: letters, digits and other printable characters of any language.

  Returns:
    The name.

  Raises:
    ValueError: says what is wrong with it.
  """
  bounds.check_text('name', name)
  shown = shortened(name)
  if not 1 <= len(name) <= _LONGEST:
    raise ValueError(
      f'name is {shown}, of {len(name)} characters; it must have 1 to '
      f'{_LONGEST}.'
    )
  if '/' in name or '\\' in name or not name.isprintable():
    raise ValueError(
      f'name is {shown}; it must hold no / or \\ and nothing that cannot be '
      'printed: letters, digits, spaces and the like.'
    )
  if name.startswith('.') or name != name.strip():
    raise ValueError(f'name is {shown}; it must not begin with a dot or space.')
  quoted = len(urllib.parse.quote(name, safe=''))
  if quoted > _LONGEST_QUOTED:
    raise ValueError(
      f'name is {shown}, which takes {quoted} bytes in the names of files; the '
      f'bound is {_LONGEST_QUOTED}. Choose a shorter one.'
    )
  return name
