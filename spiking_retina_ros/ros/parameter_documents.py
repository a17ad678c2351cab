"""
Print the parameter table as config/detector.yaml or as a Markdown table.

``python -m spiking_retina_ros.ros.parameter_documents yaml > config/detector.yaml`` renews the
file after a change of the table; a test fails until that is done.
"""

from __future__ import annotations

import sys
import textwrap

import yaml

from spiking_retina_ros.ros.parameters import PARAMETERS, ParameterSpec, ParameterValue

YAML_HEADING = """\
# Every parameter of detector_node with its default. Generated: change
# spiking_retina_ros/ros/parameters.py, then run
#   python -m spiking_retina_ros.ros.parameter_documents yaml > config/detector.yaml
/**:
  ros__parameters:
"""


def as_yaml() -> str:
    """Return a ROS 2 parameter file that sets every parameter to its default."""
    lines = []
    groups: set[str] = set()
    for spec in sorted(PARAMETERS, key=lambda item: '.' in item.name):
        group, _, name = spec.name.rpartition('.')
        indent = '    '
        if group and group not in groups:
            groups.add(group)
            lines.append(f'{indent}{group}:')
        if group:
            indent += '  '
        note = f'{spec.description} {_limits(spec)}'
        lines += [f'{indent}# {line}' for line in textwrap.wrap(note, 92)]
        lines.append(f'{indent}{name}: {_yaml_value(spec.default)}')
    return YAML_HEADING + '\n'.join(lines) + '\n'


def as_markdown() -> str:
    """Return the rows of a Markdown table: name, type, default, range, live, meaning."""
    rows = [
        '| parameter | type | default | range | live | meaning |',
        '| --- | --- | --- | --- | --- | --- |',
    ]
    for spec in PARAMETERS:
        limits = spec.range_text.replace('|', 'or')
        rows.append(
            f'| `{spec.name}` | {spec.type_name} | `{_yaml_value(spec.default)}` | {limits} | '
            f'{"yes" if spec.live else "no"} | {spec.description} |'
        )
    return '\n'.join(rows) + '\n'


def _limits(spec: ParameterSpec) -> str:
    limits = f'{spec.type_name}, {spec.range_text}' if spec.range_text else spec.type_name
    return f'({limits}; {"live" if spec.live else "read-only"})'


def _yaml_value(value: ParameterValue) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True).strip()
    return text.removesuffix('...').strip()


def main() -> int:
    """Print the form named on the command line, ``yaml`` or ``markdown``."""
    forms = {'yaml': as_yaml, 'markdown': as_markdown}
    if len(sys.argv) != 2 or sys.argv[1] not in forms:
        print(f'usage: parameter_documents {"|".join(forms)}', file=sys.stderr)
        return 2
    print(forms[sys.argv[1]](), end='')
    return 0


if __name__ == '__main__':
    sys.exit(main())
