"""``benchmark``: milliseconds per frame of every engine beside the analog network."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from spiking_retina_ros.datasets.images import find_images, read_image
from spiking_retina_ros.detections import ImageArray
from spiking_retina_ros.detector import AnalogDetector
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation.benchmark import (
    EVENT,
    BenchmarkReport,
    layer_costs,
    run_benchmark,
)
from spiking_retina_ros.evaluation.peak_memory import peak_rss_mb
from spiking_retina_ros.model_paths import analog_model, spiking_model
from spiking_retina_ros.spiking.engine import available_engines, make_engine
from spiking_retina_ros.spiking.model_file import load_network
from spiking_retina_ros.spiking.network import Schedule, SpikingNetwork

SUMMARY = 'time the engines, layer by layer, beside the analog network'
DEFAULT_WINDOWS: dict[Schedule, str] = {'concurrent': '8,16,32', 'phased': '4,8,16'}
MEMORY_WINDOWS = (16, 64, 256)
MOST_IMAGES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    cores = len(os.sched_getaffinity(0))
    parser.add_argument('images', nargs='*', help='images to show (default: smoothed noise)')
    parser.add_argument('--model', type=Path, help='model file (default: the shipped one)')
    parser.add_argument('--analog', type=Path, help='checkpoint (default: the shipped one)')
    parser.add_argument('--steps', help='windows (default: 8,16,32, or phased 4,8,16)')
    parser.add_argument('--engines', help='engines to time (default: all that are available)')
    parser.add_argument('--rounds', type=int, default=15, help='frames of each contestant')
    parser.add_argument('--threads', type=int, default=cores, help='processor cores to use')
    parser.add_argument('--device', default='cpu', help='where analog and dense run, e.g. cuda')
    parser.add_argument('--no-memory', action='store_true', help='do not measure peak memory')
    parser.add_argument('--json', type=Path, help='file to write all figures to')


def run(arguments: argparse.Namespace) -> int:
    """Measure, print tables, write json."""
    model = arguments.model or spiking_model()
    network = load_network(model)
    schedule = network.window.schedule
    steps = _numbers(arguments.steps or DEFAULT_WINDOWS[schedule])
    engines = _engines(arguments.engines, network)
    images = _images(arguments.images, network)
    analog = AnalogDetector.load(arguments.analog or analog_model()).network
    report = run_benchmark(
        network,
        analog,
        images,
        steps=steps,
        engines=engines,
        threads=arguments.threads,
        rounds=arguments.rounds,
        device=arguments.device,
    )
    if EVENT in engines:
        report = _with_layers(report, network, images[0])
        if not arguments.no_memory:
            memory = peak_rss_mb(
                model, engine=EVENT, steps=MEMORY_WINDOWS, threads=arguments.threads
            )
            report = replace(report, peak_rss_mb=memory)
    _print(report)
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(report.as_dict(), indent=1) + '\n')
    return 0


def _numbers(text: str) -> list[int]:
    try:
        numbers = [int(word) for word in text.split(',')]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise UserError(f'--steps: expected numbers like 8,16,32, found {text!r}')
    return numbers


def _engines(text: str | None, network: SpikingNetwork) -> list[str]:
    """Return the engines to time; making an unknown one raises the error that lists them."""
    if text is None:
        return available_engines()
    names = text.split(',')
    for name in names:
        if name not in available_engines():
            make_engine(name, network)
    return names


def _images(sources: list[str], network: SpikingNetwork) -> list[ImageArray]:
    if sources:
        return [read_image(path) for path in find_images(sources)[:MOST_IMAGES]]
    # blocks of random colours: something to see at every scale, for want of photographs
    height, width = network.preprocessing.input_size
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (-(-height // 16), -(-width // 16), 3), dtype=np.uint8)
    return [np.kron(coarse, np.ones((16, 16, 1), np.uint8))[:height, :width].copy()]


def _with_layers(
    report: BenchmarkReport, network: SpikingNetwork, image: ImageArray
) -> BenchmarkReport:
    from spiking_retina_ros.spiking.event.peaks import measure_peaks

    peaks = measure_peaks(report.threads)
    layers = layer_costs(
        network,
        image,
        steps=report.main_window().steps,
        threads=report.threads,
        peaks=peaks,
    )
    figures = {
        'additions_per_second': peaks.additions,
        'products_per_second': peaks.products,
        'bytes_per_second': peaks.bandwidth,
    }
    return replace(report, layers=layers, peaks=figures)


def _print(report: BenchmarkReport) -> None:
    console = Console()
    console.print(f'{report.machine}; {report.threads} threads')
    console.print(_engine_table(report))
    if report.layers and report.peaks is not None:
        console.print(
            f'measured peaks: {report.peaks["additions_per_second"] / 1e9:.0f} G weight additions '
            f'and {report.peaks["products_per_second"] / 1e9:.0f} G products of weight and level '
            f'per second, {report.peaks["bytes_per_second"] / 1e9:.1f} GB/s'
        )
        console.print(_layer_table(report))
    for steps, megabytes in (report.peak_rss_mb or {}).items():
        console.print(f'peak memory at {steps} steps: {megabytes:.0f} MB')


def _engine_table(report: BenchmarkReport) -> Table:
    table = Table(title='milliseconds per frame (quartiles)')
    for column in ('steps', 'engine', 'ms', 'to analog', 'speed-up to reference', 'spikes', 'ops'):
        table.add_column(column, justify='left' if column == 'engine' else 'right')
    if report.analog is not None:
        low, high = report.analog.quartiles
        table.add_row('', 'analog', f'{report.analog.median:.1f} ({low:.1f} to {high:.1f})', '1.0')
    for window in report.as_dict()['windows']:
        for name, engine in window['engines'].items():
            low, high = engine['quartiles_ms']
            ratio, speedup = engine['ratio_to_analog'], engine['speedup_to_reference']
            table.add_row(
                str(window['steps']),
                name,
                f'{engine["ms"]:.1f} ({low:.1f} to {high:.1f})',
                '' if ratio is None else f'{ratio:.2f}',
                '' if speedup is None else f'{speedup:.1f}',
                f'{window["spikes"] / 1e6:.1f} M',
                f'{window["synaptic_operations"] / 1e9:.2f} G',
            )
    return table


def _layer_table(report: BenchmarkReport) -> Table:
    table = Table(title=f'event engine, layer by layer, {report.main_window().steps} steps')
    for column in ('layer', 'ms', 'bound ms', 'spikes', 'operations', 'G operations/s'):
        table.add_column(column, justify='left' if column == 'layer' else 'right')
    for layer in report.layers:
        table.add_row(
            layer.name,
            f'{layer.milliseconds:.2f}',
            f'{layer.bound_ms:.2f}',
            f'{layer.spikes:,}',
            f'{layer.synaptic_operations:,}',
            f'{layer.operations_per_second / 1e9:.1f}',
        )
    table.add_row(
        'all',
        f'{sum(layer.milliseconds for layer in report.layers):.2f}',
        f'{sum(layer.bound_ms for layer in report.layers):.2f}',
        f'{sum(layer.spikes for layer in report.layers):,}',
        f'{sum(layer.synaptic_operations for layer in report.layers):,}',
    )
    return table
