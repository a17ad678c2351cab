"""``python -m spiking_retina_ros COMMAND``: every module of ``commands/`` is one command."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

from spiking_retina_ros import commands
from spiking_retina_ros.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run one command and return its exit status.

    A command module offers ``SUMMARY`` (one line), ``add_arguments(parser)`` and
    ``run(arguments) -> int``. Only the chosen module is imported, so that ``detect`` does not wait
    for what ``train`` needs. A UserError ends as one line on stderr and status 2.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    names = command_names()
    if not words or words[0] not in names:
        return _explain(words, names)
    module = load_command(words[0])
    parser = argparse.ArgumentParser(
        prog=f'python -m spiking_retina_ros {words[0]}',
        description=module.SUMMARY,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    module.add_arguments(parser)
    try:
        return int(module.run(parser.parse_args(words[1:])))
    except UserError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2


def command_names() -> list[str]:
    """Return the names of all commands; underscores of module names become dashes."""
    return sorted(item.name.replace('_', '-') for item in pkgutil.iter_modules(commands.__path__))


def load_command(name: str) -> ModuleType:
    """Import the module behind a command name."""
    return importlib.import_module(f'{commands.__name__}.{name.replace("-", "_")}')


def _explain(words: Sequence[str], names: Sequence[str]) -> int:
    asked_for_help = bool(words) and words[0] in ('-h', '--help')
    stream = sys.stdout if asked_for_help else sys.stderr
    if words and not asked_for_help:
        print(f'error: unknown command {words[0]!r}', file=stream)
    print('usage: python -m spiking_retina_ros COMMAND [options]\n', file=stream)
    for name in names:
        print(f'  {name:<14} {load_command(name).SUMMARY}', file=stream)
    return 0 if asked_for_help else 2


if __name__ == '__main__':
    sys.exit(main())
