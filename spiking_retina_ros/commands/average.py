"""``average``: the mean of fine-tuned networks that began with the same weights."""

from __future__ import annotations

import argparse
from pathlib import Path

from spiking_retina_ros.arguments.evaluation import model_names
from spiking_retina_ros.conversion.average import average_finetuned
from spiking_retina_ros.conversion.finetuned_file import load_finetuned, save_finetuned

SUMMARY = 'average fine-tuned networks that began as one'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        'checkpoints', nargs='+', type=Path, help='checkpoints of train --finetune-for-conversion'
    )
    parser.add_argument('--output', type=Path, required=True, help='checkpoint to write')


def run(arguments: argparse.Namespace) -> int:
    """Average and write, or raise UserError naming the checkpoint that does not fit."""
    names = model_names(arguments.checkpoints)
    parts = zip(names, arguments.checkpoints, strict=True)
    mean = average_finetuned({name: load_finetuned(path) for name, path in parts})
    save_finetuned(arguments.output, mean)
    print(f'wrote {arguments.output}, the mean of {len(names)} networks')
    return 0
