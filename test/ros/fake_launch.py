"""launch and launch_ros as far as our launch files use them, for machines without them."""

from __future__ import annotations

import sys
from types import ModuleType


class Recorded:
    def __init__(self, *positional, **named):
        self.positional, self.named = positional, named


class LaunchDescription(Recorded):
    @property
    def entities(self):
        return self.positional[0]


class LaunchConfiguration:
    def __init__(self, name):
        self.name = name

    def perform(self, context):
        return context[self.name]


MODULES = {
    'launch': {'LaunchDescription': LaunchDescription},
    'launch.actions': [
        'DeclareLaunchArgument',
        'EmitEvent',
        'ExecuteProcess',
        'OpaqueFunction',
        'RegisterEventHandler',
        'TimerAction',
    ],
    'launch.event_handlers': ['OnProcessExit'],
    'launch.events': ['Shutdown'],
    'launch.substitutions': {'LaunchConfiguration': LaunchConfiguration},
    'launch_ros': {},
    'launch_ros.actions': ['Node'],
}


def install(monkeypatch):
    for name, content in MODULES.items():
        module = ModuleType(name)
        if isinstance(content, list):
            content = {item: type(item, (Recorded,), {}) for item in content}
        for key, value in content.items():
            setattr(module, key, value)
        monkeypatch.setitem(sys.modules, name, module)


def arguments_of(description):
    return {
        item.positional[0]: item.named['default_value']
        for item in description.entities
        if type(item).__name__ == 'DeclareLaunchArgument'
    }


def actions_of(description, **values):
    function = next(
        item.named['function']
        for item in description.entities
        if type(item).__name__ == 'OpaqueFunction'
    )
    return function(arguments_of(description) | values)
