"""``soak``: camera and node as real processes for a long time, with faults mixed in."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from rich.console import Console
from rich.table import Table

from spiking_retina_ros.errors import UserError
from spiking_retina_ros.ros.soak_report import SoakReport

SUMMARY = 'run camera and node for a long time, with faults mixed in, and report'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('--seconds', type=float, default=600.0, help='how long')
    parser.add_argument('--rate', type=float, default=30.0, help='pictures per second')
    parser.add_argument('--width', type=int, default=1280)
    parser.add_argument('--height', type=int, default=720)
    parser.add_argument('--model', type=Path, help='spiking model file (default: the shipped one)')
    parser.add_argument('--engine', help='event, dense or reference (default: that of the node)')
    parser.add_argument('--json', type=Path, help='file for the report')


def run(arguments: argparse.Namespace) -> int:
    """Soak; status 1 if anything is not good enough."""
    if arguments.seconds < 20:
        raise UserError(f'--seconds: expected at least 20, found {arguments.seconds:g}')
    from spiking_retina_ros.ros.child_process import private_domain

    os.environ.update(private_domain())
    try:
        from spiking_retina_ros.ros.soak import Soak
    except ImportError as error:
        raise UserError(f'soak needs ROS 2 ({error}): run make environment') from error
    chosen = {
        'model': arguments.model and str(arguments.model.resolve()),
        'engine': arguments.engine,
    }
    soak = Soak(
        seconds=arguments.seconds,
        rate=arguments.rate,
        size=(arguments.width, arguments.height),
        parameters=[f'{name}:={value}' for name, value in chosen.items() if value],
    )
    with soak:
        report = soak.run()
    _show(report)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report.as_dict(), indent=1) + '\n', encoding='utf-8')
    return 1 if report.complaints else 0


def _show(report: SoakReport) -> None:
    table = Table(title=f'soak of {report.seconds:g} s', show_header=False)
    table.add_column(style='bold')
    table.add_column(justify='right')
    figures = report.as_dict()
    counts = figures.pop('counts')
    assert isinstance(counts, dict)
    for name, value in counts.items():
        table.add_row(name.replace('_', ' '), str(value))
    for name, value in figures.items():
        if name not in ('complaints', 'crashes', 'seconds'):
            table.add_row(name.replace('_', ' '), _text(value))
    table.add_row('crashes', str(len(report.crashes)))
    console = Console()
    console.print(table)
    for complaint in report.complaints:
        console.print(f'error: {complaint}', highlight=False, markup=False)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ' / '.join(_text(item) for item in value)
    return f'{value:.1f}' if isinstance(value, float) else str(value)
