"""A report's sentences: what one sees in each figure, computed from the numbers behind it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spiking_retina_ros.detections import FrameResult
from spiking_retina_ros.evaluation.energy import Energy
from spiking_retina_ros.evaluation.error_profile import LayerError
from spiking_retina_ros.evaluation.figures.precision_curve import split_by_transient
from spiking_retina_ros.evaluation.figures.style import short_name
from spiking_retina_ros.evaluation.observation import Observation
from spiking_retina_ros.evaluation.results import Evaluation, WindowScore
from spiking_retina_ros.evaluation.transient import TransientSearch

OWN_PARTS = ('saturation', 'rounding', 'sampling')
SETTLED_SHARE = 0.9


def describe_curve(evaluation: Evaluation) -> str:
    """Say how soon the spiking network comes close, and what skipping brings."""
    subject = evaluation.subjects[0]
    analog = evaluation.analog.precision.map50
    plain, skipping = split_by_transient(subject.windows)
    best = min(subject.windows, key=lambda score: score.scored.loss_points)
    low, high = best.scored.loss_interval
    text = (
        f'The analog network reaches {100 * analog:.1f} % mAP@0.5, the spiking one at most '
        f'{100 * best.scored.precision.map50:.1f} %, at {best.window.steps} steps: a difference of '
        f'{best.scored.loss_points:.1f} points (95 % interval {low:.1f} to {high:.1f}).'
    )
    times = [settled_after(scores, SETTLED_SHARE * analog) for scores in (plain, skipping)]
    held = [f'from {time} steps on' if time else 'at none of these times' for time in times]
    text += f' Counting every step, 90 % of the analog figure is held {held[0]}'
    if skipping:
        text += '; neither' if times == [None, None] else f'; {held[1]}'
        text += ' when the transient is skipped'
    text += '.'
    if times[0] and times[1] and times[0] != times[1]:
        quick, slow = ('with', 'without') if times[1] < times[0] else ('without', 'with')
        factor = max(times[0], times[1]) / min(times[0], times[1])
        text += f' It is there {factor:.2g} times sooner {quick} skipping than {slow}.'
    return text


def settled_after(scores: Sequence[WindowScore], level: float) -> int | None:
    """Return the fewest steps from which on mAP@0.5 stays at ``level`` or above, or None."""
    settled = None
    for score in sorted(scores, key=lambda item: item.window.steps, reverse=True):
        if score.scored.precision.map50 < level:
            break
        settled = score.window.steps
    return settled


def describe_agreement(observation: Observation) -> str:
    """Say how correlation moves between the two times."""
    windows = sorted(observation.agreement, key=lambda window: window.steps)
    first, last = observation.agreement[windows[0]], observation.agreement[windows[-1]]
    worst = min(last, key=lambda name: last[name].correlation)
    return (
        'Each point is a neuron: its analog activation, normalised so that 1 is the upper '
        'percentile of its channel, and the rate of its spikes; on the dashed line they agree. '
        f'From {windows[0].steps} to {windows[-1].steps} steps the correlation rises from '
        f'{_mean([item.correlation for item in first.values()]):.3f} to '
        f'{_mean([item.correlation for item in last.values()]):.3f} on average; it stays lowest in '
        f'{short_name(worst)} ({last[worst].correlation:.3f}).'
    )


def describe_profile(profile: Sequence[LayerError]) -> str:
    """Say which cause weighs most, where, and what reaches the outputs."""
    means = {part: _mean([layer.relative[part] for layer in profile]) for part in OWN_PARTS}
    ordered = sorted(means, key=lambda part: means[part], reverse=True)
    worst = max(profile, key=lambda layer: layer.relative[ordered[0]])
    outputs = [layer for layer in profile if not layer.spikes] or [profile[-1]]
    inherited = 100 * _mean([layer.share['input'] for layer in outputs])
    listed = ', '.join(f'{part} {means[part]:.3f}' for part in ordered)
    return (
        f'The error is {profile[0].relative["total"]:.3f} of the spread after the first layer and '
        f'{_mean([layer.relative["total"] for layer in outputs]):.3f} at the outputs, where '
        f'{inherited:.0f} % of it was inherited from the layers before. What layers add of their '
        f'own, averaged over the layers: {listed}; {ordered[0]} is worst in '
        f'{short_name(worst.name)} (number {list(profile).index(worst)}, '
        f'{worst.relative[ordered[0]]:.3f}).'
    )


def describe_rates(observation: Observation) -> str:
    """Say how busy and how silent the network is."""
    counts = np.stack(list(observation.histograms.values())).astype(float)
    neurons = counts.sum(1)
    rates = np.array(list(observation.spikes_per_step.values()))
    busiest = list(observation.histograms)[int(rates.argmax())]
    return (
        f'Neurons send {float((rates * neurons).sum() / neurons.sum()):.3f} spikes per step on '
        f'average; {100 * counts[:, 0].sum() / counts.sum():.0f} % of them end the window without '
        f'a net spike. The busiest layer is {short_name(busiest)} (number '
        f'{list(observation.histograms).index(busiest)}) with {rates.max():.3f}.'
    )


def describe_energy(energies: Sequence[Energy]) -> str:
    """Say where the break-even lies."""
    ordered = sorted(energies, key=lambda energy: energy.steps)
    cheaper = [energy.steps for energy in ordered if energy.ratio <= 1]
    last = ordered[-1]
    verdict = (
        f'up to {max(cheaper)} steps the spiking network would cost less than the analog one'
        if cheaper
        else 'at none of these windows would the spiking network cost less than the analog one'
    )
    return (
        f'This is an estimate from operation counts, not a measurement. By it, {verdict}; at '
        f'{last.steps} steps it costs {last.ratio:.1f} times as much.'
    )


def describe_transients(searches: Sequence[TransientSearch]) -> str:
    """Say what the data recommend, beside what the fill times suggest."""
    found = '; '.join(
        f'{item.steps} steps: ignore {item.best} (error {min(item.errors):.3f}, '
        f'{item.gain():.2f} times smaller than without)'
        if item.best
        else f'{item.steps} steps: ignore none (error {item.errors[0]:.3f})'
        for item in searches
    )
    return (
        f'Least output error by window: {found}. The fill times of the layers, added up along the '
        f'deepest path, suggest {searches[0].estimated} steps: a bound for the slowest way through '
        'the network, not for the first answer.'
    )


def describe_detections(
    pairs: Sequence[tuple[FrameResult, FrameResult]], *, score_threshold: float
) -> str:
    """Count the analog boxes that the spiking network draws, too."""
    total = sum(len(analog) for analog, _ in pairs)
    shared = sum(_shared(analog, spiking) for analog, spiking in pairs)
    drawn = sum(len(spiking) for _, spiking in pairs)
    return (
        f'Boxes of score {score_threshold} and above, analog left, spiking right. Of the '
        f'{total} boxes the analog network draws, the spiking one draws {shared} as well (same '
        f'class, IoU of at least 0.5); it draws {drawn} in all.'
    )


def _shared(analog: FrameResult, spiking: FrameResult) -> int:
    """Return how many analog boxes have a spiking one of their class; each counts once."""
    free = list(range(len(spiking)))
    count = 0
    for box, name in zip(analog.boxes, analog.class_names, strict=True):
        for index in free:
            same = spiking.class_names[index] == name
            if same and _overlap(box, spiking.boxes[index]) >= 0.5:
                free.remove(index)
                count += 1
                break
    return count


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    low, high = np.maximum(first[:2], second[:2]), np.minimum(first[2:], second[2:])
    inner = float(np.prod(np.maximum(high - low, 0)))
    areas = float(np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2]))
    return inner / max(areas - inner, 1e-9)


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if np.isfinite(value)]
    return float(np.mean(defined)) if defined else float('nan')
