"""Stands for whoever acted in logs: somebody who can be asked nothing."""

from teachers.base import Task, Teacher

NAME = 'logs'


def teacher(task: Task) -> Teacher:
  """A teacher of this task that gives no advice."""
  return Teacher(NAME, NAME, *task.spec, task)
