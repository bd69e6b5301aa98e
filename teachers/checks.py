"""What is asked of a teacher, and what it answers, before anyone uses it."""

import numpy as np

from teachers.base import Kind, Task, Teacher
from teachers.errors import AdviceRefusedError, WrongTeacherError


def check_teacher(teacher: Teacher, task: Task, *kinds: Kind) -> None:
  """Refuses a teacher of another task, or one that lacks a kind of advice.

  Raises:
    WrongTeacherError: says what does not fit.
  """
  have = (teacher.observation_size, teacher.action_size)
  if have != task.spec:
    raise WrongTeacherError(
      f'The teacher {teacher.name} takes observations and actions of widths '
      f'{have}, but {task.name} has {tuple(task.spec)}. Choose a teacher of '
      'this task.'
    )
  differences = teacher.task.differences(task) if teacher.task else []
  if differences:
    # Of equal widths, so it would answer, and all of it would be wrong.
    raise WrongTeacherError(
      f'The teacher {teacher.name} is of another task than {task.name} '
      f'({"; ".join(differences)}). Choose a teacher of this task, or the task '
      'of this teacher.'
    )
  missing = [kind for kind in kinds if kind not in teacher.gives]
  if missing:
    raise WrongTeacherError(
      f'The teacher {teacher.name} gives no {" and no ".join(missing)}; it '
      f'gives {", ".join(sorted(teacher.gives)) or "nothing"}. Choose another '
      'teacher or another objective.'
    )


def ask_actions(teacher: Teacher, observations: np.ndarray) -> np.ndarray:
  """A teacher's actions, checked.

  Args:
    teacher: is asked.
    observations: [B, S] float32.

  Returns:
    [B, A] float32 in [-1, 1].

  Raises:
    AdviceRefusedError: the answer is something else.
  """
  actions = teacher.actions(observations)
  check_actions(teacher, actions, len(observations))
  return actions


def ask_action_gradients(
  teacher: Teacher, observations: np.ndarray, actions: np.ndarray
) -> np.ndarray:
  """A teacher's action gradients, checked.

  Args:
    teacher: is asked.
    observations: [B, S] float32.
    actions: [B, A] float32.

  Returns:
    [B, A] float32, finite.

  Raises:
    AdviceRefusedError: the answer is something else.
  """
  gradients = teacher.action_gradients(observations, actions)
  check_gradients(teacher, gradients, len(observations))
  return gradients


def check_actions(teacher: Teacher, actions: np.ndarray, batch: int) -> None:
  """Refuses what are no actions for `batch` observations.

  Raises:
    AdviceRefusedError: names the value, the bound and the teacher.
  """
  _check_array(teacher, 'actions', actions, batch)
  beyond = np.abs(actions) > 1
  if beyond.any():
    where = _first(beyond)
    raise AdviceRefusedError(
      f'The teacher {teacher.name} gave actions{list(where)} = '
      f'{actions[where]}, beyond [-1, 1]: it must clip them.'
    )


def check_gradients(
  teacher: Teacher, gradients: np.ndarray, batch: int
) -> None:
  """Refuses what are no gradients at `batch` actions.

  Raises:
    AdviceRefusedError: names the value, the bound and the teacher.
  """
  _check_array(teacher, 'action gradients', gradients, batch)


def _check_array(
  teacher: Teacher, what: str, value: np.ndarray, batch: int
) -> None:
  shape = (batch, teacher.action_size)
  if not isinstance(value, np.ndarray) or value.dtype != np.float32:
    kind = getattr(value, 'dtype', type(value).__name__)
    raise AdviceRefusedError(
      f'The teacher {teacher.name} gave {what} of {kind}; they must be a '
      'float32 array.'
    )
  if value.shape != shape:
    raise AdviceRefusedError(
      f'The teacher {teacher.name} gave {what} of shape {value.shape}; it was '
      f'asked for {shape}.'
    )
  finite = np.isfinite(value)
  if not finite.all():
    where = _first(~finite)
    raise AdviceRefusedError(
      f'The teacher {teacher.name} gave {what}{list(where)} = {value[where]}; '
      'every value must be finite.'
    )


def _first(mask: np.ndarray) -> tuple[int, ...]:
  return tuple(int(i) for i in np.argwhere(mask)[0])
