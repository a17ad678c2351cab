"""The nodes under test as processes of their own."""

from __future__ import annotations

from spiking_retina_ros.ros.child_process import NodeProcess


def stand_in(*arguments, images=('image',), **parameters):
    # Reliable, because a best-effort reader may miss what is sent while the two still get to
    # know each other.
    for topic in images:
        parameters[f'qos_overrides./{topic}.subscription.reliability'] = 'reliable'
    words = ['--ros-args']
    for name, value in parameters.items():
        words += ['-p', f'{name}:={value}']
    return Shown('stand_in', [*arguments, *words])


class Shown(NodeProcess):
    """Leaves what the node printed where pytest shows it after a failure."""

    def __exit__(self, *error):
        self.stop()
        print(self.output())
        super().__exit__(*error)
