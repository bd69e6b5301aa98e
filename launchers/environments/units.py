"""What the numbers of the suite's observations are measured in.

MuJoCo's models say no units; these follow from how dm_control computes each
field and from the kinds of the joints. A field that mixes units (a cart's
position beside a pole's cosine) has none here.
"""

import types

UNITS = types.MappingProxyType(
  {
    ('acrobot', 'orientations'): '1',
    ('acrobot', 'velocity'): 'rad/s',
    ('ball_in_cup', 'position'): 'm',
    ('ball_in_cup', 'velocity'): 'm/s',
    ('dog', 'joint_angles'): 'rad',
    ('dog', 'joint_velocites'): 'rad/s',  # As the suite spells it.
    ('dog', 'target_position'): 'm',
    ('dog', 'torso_com_velocity'): 'm/s',
    ('dog', 'torso_pelvis_height'): 'm',
    ('dog', 'z_projection'): '1',
    ('finger', 'dist_to_target'): 'm',
    ('finger', 'target_position'): 'm',
    ('finger', 'velocity'): 'rad/s',
    ('fish', 'joint_angles'): 'rad',
    ('fish', 'target'): 'm',
    ('fish', 'upright'): '1',
    ('humanoid', 'com_velocity'): 'm/s',
    ('humanoid', 'extremities'): 'm',
    ('humanoid', 'head_height'): 'm',
    ('humanoid', 'joint_angles'): 'rad',
    ('humanoid', 'torso_vertical'): '1',
    ('humanoid_CMU', 'com_velocity'): 'm/s',
    ('humanoid_CMU', 'extremities'): 'm',
    ('humanoid_CMU', 'head_height'): 'm',
    ('humanoid_CMU', 'joint_angles'): 'rad',
    ('humanoid_CMU', 'torso_vertical'): '1',
    ('manipulator', 'arm_pos'): '1',
    ('manipulator', 'arm_vel'): 'rad/s',
    ('pendulum', 'orientation'): '1',
    ('pendulum', 'velocity'): 'rad/s',
    ('point_mass', 'position'): 'm',
    ('point_mass', 'velocity'): 'm/s',
    ('quadruped', 'target_position'): 'm',
    ('quadruped', 'torso_upright'): '1',
    ('quadruped', 'torso_velocity'): 'm/s',
    ('reacher', 'position'): 'rad',
    ('reacher', 'to_target'): 'm',
    ('reacher', 'velocity'): 'rad/s',
    ('stacker', 'arm_pos'): '1',
    ('stacker', 'arm_vel'): 'rad/s',
    ('swimmer', 'joints'): 'rad',
    ('swimmer', 'to_target'): 'm',
    ('walker', 'height'): 'm',
    ('walker', 'orientations'): '1',
  }
)
"""By domain and field; '1' is a pure number, for instance a cosine."""
