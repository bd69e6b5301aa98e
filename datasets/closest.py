"""What a person may have meant by a name that nothing has.

Every door that takes names answers one that is unknown from here.
"""

from collections.abc import Iterable
import difflib

_MOST = 16  # Names of a list that a person still reads.


def hint(name: str, known: Iterable[str], separator: str = '') -> str:
  """A sentence with the names that are closest, to follow another; '' for none.

  Args:
    name: what was written.
    known: the names that there are.
    separator: what a person may have left out with all before it, as in 'kind'
      for 'objective.kind'.
  """
  names = list(known)
  found = difflib.get_close_matches(name, names)
  if separator:
    ends = [end for _, _, end in (n.partition(separator) for n in names)]
    for close in difflib.get_close_matches(name, {*ends} - {''}):
      found += [n for n, end in zip(names, ends, strict=True) if end == close]
  return f' Did you mean {", ".join(dict.fromkeys(found))}?' if found else ''


def among(name: str, known: Iterable[str]) -> str:
  """The hint; where nothing is close, what there is, cut where it is long."""
  names = list(known)
  left = len(names) - _MOST
  rest = f' and {left} more' if left > 0 else ''
  there = f' There are {", ".join(names[:_MOST])}{rest}.'
  return hint(name, names) or (there if names else ' There are none.')
