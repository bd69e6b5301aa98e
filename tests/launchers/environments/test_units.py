"""The units name fields that there are, and fit the joints' kinds."""

from dm_control import suite
import mujoco
import pytest

from launchers.environments.suite import Environment
from launchers.environments.units import UNITS

TASKS = {domain: suite.TASKS_BY_DOMAIN[domain] for domain, _ in sorted(UNITS)}
# Those that hold the positions or velocities of all the joints, in order.
STATES = {
  'position': ('rad', 'm'),
  'velocity': ('rad/s', 'm/s'),
}


@pytest.mark.parametrize('domain', TASKS)
def test_every_unit_is_of_a_field(domain: str) -> None:
  named = {name for d, name in UNITS if d == domain}
  found = set()
  for task in TASKS[domain]:
    environment = Environment(f'{domain}-{task}')
    fields = {f.name: f for f in environment.task.observations}
    found |= named & set(fields)
    for name in named & set(fields):
      assert fields[name].unit == UNITS[domain, name]
    _check_states(environment, fields)
  assert found == named


def _check_states(environment, fields) -> None:
  physics = environment.wrapped.physics
  kinds = set(physics.model.jnt_type.tolist())
  for name, (angular, linear) in STATES.items():
    if name in fields and fields[name].size == physics.model.nv:
      if fields[name].unit == angular:
        assert kinds == {int(mujoco.mjtJoint.mjJNT_HINGE)}
      if fields[name].unit == linear:
        assert kinds == {int(mujoco.mjtJoint.mjJNT_SLIDE)}
