"""
An evaluation as json; its keys are stable.

``images``, ``available_images``, ``data``, ``class_names``: the set, and how much of it was scored.
``engine``, ``machine``, ``timing_images``, ``seed``: what times were measured on, and the
bootstrap's seed. ``problems``: what could not be used, as lines.

``analog``: the scores of the analog network, which are
    ``map50``, ``map``: mAP at IoU 0.5 and over 0.5 to 0.95, in [0, 1];
    ``map50_by_size``: ``small``, ``medium``, ``large``;
    ``per_class``: by name ``objects``, ``ap50``, ``ap``, ``recall``, ``recall_at_score`` and
    ``precision_at_score``.
``normalized``, ``quantized``: the same for the stages before the first model's spikes, with
``loss_points`` (mAP@0.5 below the analog network, percentage points) and ``loss_interval``, its
95 % interval [low, high].
``spiking``: a list, one entry per model and window: the scores and losses, and ``model``,
``steps``, ``transient``, ``schedule``, ``rate`` (spikes per neuron and step), ``spikes_per_frame``,
``synaptic_operations_per_frame``, ``synaptic_operations_per_mac``, ``ms_per_frame``.
``models``: per model ``name``, ``hash``, ``options``, ``neurons``, ``analog_macs``,
``normalized`` and ``quantized``.

What is not defined, such as the AP of a class without objects, is null.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spiking_retina_ros.evaluation.results import Evaluation, Scored, SubjectScore, WindowScore


def evaluation_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Return the evaluation as plain values, see the module's description."""
    first = evaluation.subjects[0] if evaluation.subjects else None
    return plain(
        {
            'images': evaluation.images,
            'available_images': evaluation.available,
            'data': evaluation.data.name,
            'class_names': list(evaluation.class_names),
            'engine': evaluation.engine,
            'machine': evaluation.machine,
            'timing_images': evaluation.timing_images,
            'seed': evaluation.seed,
            'problems': list(evaluation.problems),
            'analog': _scores(evaluation.analog),
            **(_stages({}) if first is None else _stages(first.stages)),
            'spiking': [
                _window(score, subject)
                for subject in evaluation.subjects
                for score in subject.windows
            ],
            'models': [
                {
                    'name': subject.name,
                    'hash': subject.model_hash,
                    'options': dict(subject.options),
                    'neurons': subject.neurons,
                    'analog_macs': subject.analog_macs,
                    **_stages(subject.stages),
                }
                for subject in evaluation.subjects
            ],
        }
    )


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write aside, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f'.{path.name}.{os.getpid()}.part')
    aside.write_text(json.dumps(plain(values), indent=1, allow_nan=False) + '\n')
    os.replace(aside, path)


def plain(value: Any) -> Any:
    """Return the value with NaN and infinities, which json does not know, as None."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _scores(scored: Scored) -> dict[str, Any]:
    precision = scored.precision
    return {
        'map50': precision.map50,
        'map': precision.map,
        'map50_by_size': dict(precision.map50_by_size),
        'objects_by_size': dict(precision.objects_by_size),
        'per_class': {name: vars(figures) for name, figures in precision.per_class.items()},
    }


def _losses(scored: Scored) -> dict[str, Any]:
    return {
        **_scores(scored),
        'loss_points': scored.loss_points,
        'loss_interval': list(scored.loss_interval),
    }


def _stages(stages: Mapping[str, Scored]) -> dict[str, Any]:
    return {
        'normalized': _losses(stages['normalised']) if stages else None,
        'quantized': _losses(stages['quantised']) if stages else None,
    }


def _window(score: WindowScore, subject: SubjectScore) -> dict[str, Any]:
    return {
        'model': subject.name,
        'steps': score.window.steps,
        'transient': score.window.transient,
        'schedule': score.window.schedule,
        **_losses(score.scored),
        'rate': score.rate,
        'spikes_per_frame': score.spikes,
        'synaptic_operations_per_frame': score.synaptic_operations,
        'synaptic_operations_per_mac': score.synaptic_operations / subject.analog_macs,
        'ms_per_frame': score.milliseconds,
    }
