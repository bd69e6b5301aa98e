"""One name for each task, from the door on.

cartpole-swingup                      a suite task; cartpole:swingup, too
gymnasium:HalfCheetah-v5?name=value   an environment that Gymnasium registers
manipulation-reach_site_features      dm_control's, reach_site_features, too
locomotion-cmu_humanoid_run_walls     dm_control's, cmu_humanoid_run_walls, too
module:factory?name=value&...         anyone's; see `datasets.addresses`
path/to/plant.toml                    only described; see `described`
"""

import hashlib
import os
import re

from datasets import closest as closest_names

GYMNASIUM = 'gymnasium:'
ROOMS = ('manipulation', 'locomotion')
_LONGEST = 80  # Characters of a file's name that a task may take.


def canonical(name: str) -> str:
  """The task's one name; a name of no task stays as it is.

  What takes no look into dm_control takes none, since that costs a second.
  """
  if is_described(name):
    return os.path.normpath(name)
  path, _, query = name.strip().partition('?')
  if query:  # The order of its arguments means nothing.
    return f'{path}?{"&".join(sorted(query.split("&")))}'
  name = path
  if name.startswith(GYMNASIUM):
    return name
  if ':' in name:
    return name.replace(':', '-', 1) if is_suite(name) else name
  if '-' not in name:
    for room in ROOMS:
      if name in in_room(room):
        return f'{room}-{name}'
  return name


def is_described(name: str) -> bool:
  """Whether a name is of a file that describes a system: nobody acts in it."""
  return name.endswith('.toml')


def is_suite(name: str) -> bool:
  """Whether the dm_control suite has the task."""
  from dm_control import suite

  pieces = re.split('[-:]', name, maxsplit=1)
  return len(pieces) == 2 and tuple(pieces) in suite.ALL_TASKS


def is_foreign(name: str) -> bool:
  """Whether a canonical name is of anything but a suite task."""
  return ':' in name or name.split('-')[0] in ROOMS


def in_room(room: str) -> tuple[str, ...]:
  """The names of dm_control's manipulation or locomotion environments."""
  from launchers.environments import composer

  if room == 'manipulation':
    return composer.MANIPULATION
  return tuple(composer.LOCOMOTION)


def closest(name: str) -> str:
  """A sentence with the names that a person may have meant; '' for none."""
  from dm_control import suite

  known = [f'{domain}-{task}' for domain, task in suite.ALL_TASKS]
  known += [f'{room}-{task}' for room in ROOMS for task in in_room(room)]
  wanted = name.replace(':', '-').replace('_vision', '_features')
  return closest_names.hint(wanted, known, '-')


def slug(name: str) -> str:
  """A canonical name as part of a file's name; suite tasks' stay as they are.

  Long ones are cut, and told apart by a digest.
  """
  if is_described(name):
    name = os.path.basename(name).removesuffix('.toml')
  plain = re.sub('[^A-Za-z0-9_.-]+', '-', name).strip('-.')
  if len(plain) > _LONGEST:
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    plain = f'{plain[: _LONGEST - 9]}-{digest}'
  return plain
