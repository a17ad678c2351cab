"""``report``: figures and a page that show what a conversion cost, where, and when."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from spiking_retina_ros.arguments.evaluation import (
    add_common_arguments,
    cache_folder,
    load_analog,
    read_finetuned,
    read_set,
    step_list,
)
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions
from spiking_retina_ros.evaluation.report import ReportOptions, examine
from spiking_retina_ros.evaluation.report_page import write_report
from spiking_retina_ros.evaluation.tables import print_evaluation
from spiking_retina_ros.spiking.model_file import load_network

DEFAULTS = {
    'layer_images': 4,
    'transient_images': 4,
    'drawn_images': 5,
    'timing_images': 3,
    'seed': 0,
}
SUMMARY = 'show in figures and one page what a conversion cost'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('model', type=Path, help='model file of convert')
    add_common_arguments(parser)
    parser.add_argument('--output', type=Path, required=True, help='folder for page and figures')
    parser.add_argument(
        '--steps',
        type=step_list,
        help='window lengths of the mAP curve (default: an eighth to twice the recommended)',
    )
    parser.add_argument(
        '--layers', nargs='+', default=[], help='populations for the activations figure'
    )
    parser.add_argument('--layer-images', type=int, help='images for layer figures')
    parser.add_argument('--transient-images', type=int, help='images for the transient')
    parser.add_argument('--drawn-images', type=int, help='images to draw boxes in')
    parser.add_argument('--timing-images', type=int, help='images for ms; 0: none')
    parser.add_argument('--seed', type=int, help='of the bootstrap')
    parser.set_defaults(**DEFAULTS)


def run(arguments: argparse.Namespace) -> int:
    """Examine the model, write the report; exit status 1 if images had to be left out."""
    network = load_network(arguments.model)
    analog = load_analog(arguments.checkpoint, network)
    images = read_set(arguments, network.class_names)
    settings = EvaluationOptions(
        engine=arguments.engine,
        threads=arguments.threads,
        limit=arguments.limit,
        cache=cache_folder(arguments),
        timing_images=arguments.timing_images,
        seed=arguments.seed,
    )
    options = ReportOptions(
        settings,
        tuple(arguments.steps or ()),
        tuple(arguments.layers),
        arguments.layer_images,
        arguments.transient_images,
        arguments.drawn_images,
    )
    findings = examine(
        analog,
        network,
        images,
        options,
        name=arguments.model.stem,
        finetuned=read_finetuned(arguments.finetuned),
    )
    page = write_report(findings, arguments.output, command=command_line(arguments))
    print_evaluation(findings.evaluation)
    print(f'report: {page}')
    return 1 if findings.evaluation.problems else 0


def command_line(arguments: argparse.Namespace) -> str:
    """Return the command that makes this report."""
    words = ['python', '-m', 'spiking_retina_ros', 'report', str(arguments.model)]
    words += ['--checkpoint', str(arguments.checkpoint), '--data', str(arguments.data)]
    if arguments.finetuned is not None:
        words += ['--finetuned', str(arguments.finetuned)]
    words += ['--engine', arguments.engine, '--output', str(arguments.output)]
    if arguments.steps:
        words += ['--steps', ','.join(map(str, arguments.steps))]
    if arguments.layers:
        words += ['--layers', *arguments.layers]
    if arguments.leave_out:
        words += ['--leave-out', *arguments.leave_out]
    for option in ('limit', *DEFAULTS):
        value = getattr(arguments, option)
        if value != DEFAULTS.get(option):
            words += [f'--{option.replace("_", "-")}', str(value)]
    return shlex.join(words)
