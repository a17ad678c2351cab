"""
``evaluate``: what a conversion cost, on a whole COCO set.

``--json`` writes the keys that ``evaluation/export.py`` describes: ``images``, ``analog.map50``,
``analog.map``, ``normalized.map50``, and for each entry of ``spiking`` ``steps``, ``transient``,
``map50``, ``map``, ``loss_points``, ``loss_interval``, ``rate``, ``spikes_per_frame``,
``synaptic_operations_per_frame``, ``ms_per_frame`` and ``per_class``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from spiking_retina_ros.arguments.evaluation import (
    add_common_arguments,
    cache_folder,
    load_analog,
    model_names,
    read_finetuned,
    read_set,
    step_list,
    windows,
)
from spiking_retina_ros.evaluation.bench import Subject
from spiking_retina_ros.evaluation.evaluate import EvaluationOptions, evaluate_models
from spiking_retina_ros.evaluation.export import evaluation_dict, write_json
from spiking_retina_ros.evaluation.tables import print_evaluation
from spiking_retina_ros.spiking.model_file import load_network

SUMMARY = 'compare analog and spiking networks on a COCO set'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument('models', nargs='+', type=Path, help='model files of convert')
    add_common_arguments(parser)
    parser.add_argument(
        '--steps', type=step_list, help='windows to read, like 8,16,32 (default: recommended)'
    )
    parser.add_argument(
        '--transient',
        type=int,
        help='first steps ignored, in every window (default: recommended, in proportion)',
    )
    parser.add_argument(
        '--timing-images', type=int, default=3, help='images for the time per frame; 0: none'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the bootstrap')
    parser.add_argument('--json', type=Path, help='file to write everything to')


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print the table; exit status 1 if anything of the set had to be left out."""
    networks = [load_network(path) for path in arguments.models]
    finetuned = read_finetuned(arguments.finetuned)
    subjects = [
        Subject(name, network, windows(network, arguments.steps, arguments.transient), finetuned)
        for name, network in zip(model_names(arguments.models), networks, strict=True)
    ]
    evaluation = evaluate_models(
        load_analog(arguments.checkpoint, networks[0]),
        subjects,
        read_set(arguments, networks[0].class_names),
        EvaluationOptions(
            engine=arguments.engine,
            threads=arguments.threads,
            limit=arguments.limit,
            cache=cache_folder(arguments),
            timing_images=arguments.timing_images,
            seed=arguments.seed,
        ),
    )
    print_evaluation(evaluation)
    if arguments.json is not None:
        write_json(arguments.json, evaluation_dict(evaluation))
    return 1 if evaluation.problems else 0
