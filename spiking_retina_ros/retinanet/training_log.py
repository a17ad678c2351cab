"""The csv log of a run and the figure of its curves."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np

from spiking_retina_ros.retinanet.loss import Losses
from spiking_retina_ros.retinanet.validation import Validation

STEPS_FILE = 'steps.csv'
VALIDATION_FILE = 'validation.csv'
FIGURE_FILE = 'curves.png'
SMOOTHED_STEPS = 50


class TrainingLog:
    """Appends to two csv files of an output folder, so that a resumed run continues them."""

    def __init__(self, output: Path) -> None:
        self.output = output
        output.mkdir(parents=True, exist_ok=True)

    def step(self, samples: int, seconds: float, progress: float, losses: Losses) -> None:
        """Log one optimiser step."""
        self._append(
            STEPS_FILE,
            {
                'samples': samples,
                'seconds': f'{seconds:.1f}',
                'progress': f'{progress:.5f}',
                'classification_loss': f'{float(losses.classification):.5f}',
                'box_loss': f'{float(losses.box):.5f}',
            },
        )

    def validation(self, samples: int, seconds: float, result: Validation) -> None:
        """Log and print one validation."""
        row = {
            'samples': samples,
            'seconds': f'{seconds:.1f}',
            'images': result.images,
            'map50': f'{result.map50:.4f}',
            'map': f'{result.map:.4f}',
        }
        row |= {f'ap50_{name}': f'{value:.4f}' for name, value in result.ap50_per_class.items()}
        self._append(VALIDATION_FILE, row)
        print(' '.join(f'{key}={value}' for key, value in row.items()), flush=True)

    def draw(self) -> None:
        """Draw loss and average precision over the samples seen."""
        matplotlib.use('Agg')
        from matplotlib import pyplot

        figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout='constrained')
        steps = self._columns(STEPS_FILE)
        for key in ('classification_loss', 'box_loss'):
            if key in steps:
                width = min(SMOOTHED_STEPS, len(steps[key]))
                smooth = np.convolve(steps[key], np.ones(width) / width, 'valid')
                left.plot(steps['samples'][width - 1 :], smooth, label=key.replace('_', ' '))
        left.set(xlabel='samples', ylabel=f'loss, mean of {SMOOTHED_STEPS} steps', yscale='log')
        validations = self._columns(VALIDATION_FILE)
        for key, values in validations.items():
            if key.startswith(('map', 'ap50')):
                right.plot(validations['samples'], values, marker='o', label=key)
        right.set(xlabel='samples', ylabel='average precision', ylim=(0, 1))
        for axes in (left, right):
            axes.grid(alpha=0.3)
            if axes.lines:
                axes.legend()
        figure.savefig(self.output / FIGURE_FILE, dpi=110)
        pyplot.close(figure)

    def _append(self, name: str, row: Mapping[str, object]) -> None:
        path = self.output / name
        is_new = not path.exists()
        with path.open('a', newline='') as file:
            writer = csv.DictWriter(file, list(row))
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def _columns(self, name: str) -> dict[str, np.ndarray]:
        path = self.output / name
        if not path.exists():
            return {}
        with path.open(newline='') as file:
            rows: Sequence[dict[str, str]] = list(csv.DictReader(file))
        return {
            key: np.array([float(row[key]) for row in rows]) for key in (rows[0] if rows else {})
        }
