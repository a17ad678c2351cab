"""Writes what ``report.examine`` found: PNG figures, one page, and the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from spiking_retina_ros.detector import SCORE_THRESHOLD
from spiking_retina_ros.evaluation import findings as say
from spiking_retina_ros.evaluation.energy import SOURCE
from spiking_retina_ros.evaluation.export import evaluation_dict, write_json
from spiking_retina_ros.evaluation.figures.agreement import draw_agreement
from spiking_retina_ros.evaluation.figures.detections import draw_pairs
from spiking_retina_ros.evaluation.figures.energy import draw_energy
from spiking_retina_ros.evaluation.figures.error_profile import draw_error_profile
from spiking_retina_ros.evaluation.figures.precision_curve import draw_precision_curve
from spiking_retina_ros.evaluation.figures.rates import draw_rates
from spiking_retina_ros.evaluation.figures.style import short_name
from spiking_retina_ros.evaluation.figures.transient import draw_transients
from spiking_retina_ros.evaluation.html_page import HtmlTable, Section, write_page
from spiking_retina_ros.evaluation.report import Findings, numbers
from spiking_retina_ros.evaluation.results import Scored
from spiking_retina_ros.evaluation.tables import NOTHING, per_cent, short_count
from spiking_retina_ros.spiking.network import Window


def write_report(findings: Findings, folder: Path, *, command: str) -> Path:
    """Write ``report.html``, ``report.json`` and the figures into a folder; return the page."""
    sections = [
        _summary(findings, command),
        *_figures(findings, folder, command),
        _layer_list(findings),
        _conversion(findings),
    ]
    evaluation = findings.evaluation
    name = evaluation.subjects[0].name
    lead = (
        f'What the conversion of this RetinaNet into integrate-and-fire neurons costs, in which '
        f'layer and at which time step, on {evaluation.images} of {evaluation.available} images of '
        f'{evaluation.data.name}. Recommended window, in steps: {_window(findings.window)}.'
    )
    page = folder / 'report.html'
    write_page(page, f'Analog to spiking: {name}', lead, sections)
    content: dict[str, Any] = {'command': command, 'evaluation': evaluation_dict(evaluation)}
    write_json(folder / 'report.json', {**content, **numbers(findings)})
    return page


def _figures(findings: Findings, folder: Path, command: str) -> list[Section]:
    return [replace(part, command=command) for part in _figure_sections(findings, folder)]


def _figure_sections(findings: Findings, folder: Path) -> list[Section]:
    evaluation, observation = findings.evaluation, findings.observation
    whole, few = evaluation.images, observation.images
    steps = ', '.join(str(search.steps) for search in findings.searches)
    agreement_steps = ' and '.join(_window(window) for window in observation.agreement)
    captions = ('analog', f'spiking, steps: {_window(findings.window)}')

    def made(images: int, times: str) -> str:
        count = '1 image' if images == 1 else f'{images} images'
        return f'{count}. Steps: {times}. Machine: {evaluation.machine}.'

    return [
        Section(
            'mAP over simulated time',
            say.describe_curve(evaluation),
            made(whole, steps),
            draw_precision_curve(evaluation, findings.window, folder / 'precision_over_time.png'),
            narrow=True,
        ),
        Section(
            'Detections, analog and spiking',
            say.describe_detections(
                [(analog, spiking) for _, analog, spiking in findings.drawn],
                score_threshold=SCORE_THRESHOLD,
            ),
            made(len(findings.drawn), _window(findings.window)),
            draw_pairs(findings.drawn, captions, folder / 'detections.png'),
        ),
        Section(
            'Where the error comes from, layer by layer',
            say.describe_profile(observation.profile),
            made(few, _window(observation.window)),
            draw_error_profile(observation.profile, folder / 'error_profile.png'),
        ),
        Section(
            'Activations and spike rates',
            say.describe_agreement(observation),
            made(few, agreement_steps),
            draw_agreement(
                observation.agreement,
                [layer.name for layer in observation.profile],
                folder / 'activations_and_rates.png',
            ),
        ),
        Section(
            'Which transient to skip',
            say.describe_transients(findings.searches),
            made(findings.searches[0].images, steps),
            draw_transients(findings.searches, folder / 'transient.png'),
            narrow=True,
        ),
        Section(
            'Firing rates',
            say.describe_rates(observation),
            made(few, _window(observation.window)),
            draw_rates(observation, folder / 'rates.png'),
        ),
        Section(
            'Energy: an estimate',
            f'{say.describe_energy(findings.energies)} Analog: 4.6 pJ times the '
            'multiply-accumulates; spiking: 0.9 pJ times the synaptic operations, and 4.6 pJ times '
            "the first layer's multiply-accumulates, once per frame. Memory and neuron updates "
            f'are left out on both sides. Source: {SOURCE}.',
            made(whole, steps),
            draw_energy(findings.energies, folder / 'energy.png'),
            narrow=True,
        ),
    ]


def _summary(findings: Findings, command: str) -> Section:
    evaluation = findings.evaluation
    subject = evaluation.subjects[0]
    names = evaluation.class_names if len(evaluation.class_names) <= 4 else ()
    head = ['network', 'steps', 'transient', 'mAP@0.5', 'mAP@[.5:.95]', 'loss, points', '95 %']
    head += [f'{name} AP' for name in names]
    head += ['AP by size S / M / L', 'rate', 'spikes', 'synaptic ops', 'per MAC', 'ms']
    rows = [
        _row('analog', evaluation.analog, names, is_analog=True),
        _row('normalised, clipped', subject.normalised, names),
        _row('+ narrow weights', subject.quantised, names),
    ]
    for score in subject.windows:
        cost = (
            f'{score.rate:.3f}',
            short_count(score.spikes),
            short_count(score.synaptic_operations),
            f'{score.synaptic_operations / subject.analog_macs:.2f}',
            NOTHING if score.milliseconds is None else f'{score.milliseconds:.0f}',
        )
        rows.append(_row('spiking', score.scored, names, window=score.window, cost=cost))
    return Section(
        'What it costs',
        'Per cent; AP per class and size at IoU 0.5, sizes below 32x32, to 96x96 and above, in '
        'pixels of the image. The loss is in points of mAP@0.5 below the analog network, with its '
        '95 % interval by a paired bootstrap over the images.',
        f'{evaluation.images} images. Times: median of {evaluation.timing_images} frames run for '
        f'that window alone, engine {evaluation.engine}, {evaluation.machine}.',
        command=command,
        table=HtmlTable(tuple(head), tuple(rows)),
    )


def _row(
    name: str,
    scored: Scored,
    class_names: tuple[str, ...],
    *,
    is_analog: bool = False,
    window: Window | None = None,
    cost: tuple[str, ...] = (NOTHING,) * 5,
) -> tuple[str, ...]:
    precision = scored.precision
    low, high = scored.loss_interval
    times = (NOTHING, NOTHING) if window is None else (str(window.steps), str(window.transient))
    loss = (
        (NOTHING, NOTHING)
        if is_analog
        else (f'{scored.loss_points:.1f}', f'{low:.1f} .. {high:.1f}')
    )
    return (
        name,
        *times,
        per_cent(precision.map50),
        per_cent(precision.map),
        *loss,
        *(per_cent(precision.per_class[item].ap50) for item in class_names),
        ' / '.join(per_cent(value, 0) for value in precision.map50_by_size.values()),
        *cost,
    )


def _layer_list(findings: Findings) -> Section:
    rows = tuple(
        (
            str(number),
            short_name(layer.name),
            f'{layer.neurons:,}',
            'yes' if layer.spikes else 'current',
            *(f'{value:.4f}' for value in layer.relative.values()),
        )
        for number, layer in enumerate(findings.observation.profile)
    )
    relative: Mapping[str, float] = findings.observation.profile[0].relative
    return Section(
        'The layers by number',
        "Relative RMS errors of every population's rates, by cause, as in the figure above.",
        table=HtmlTable(('number', 'population', 'neurons', 'spikes', *relative), rows),
        folded=True,
    )


def _conversion(findings: Findings) -> Section:
    subject = findings.evaluation.subjects[0]
    rows = [(key, str(value)) for key, value in subject.options.items()]
    rows += [
        ('neurons', f'{subject.neurons:,}'),
        ('analog multiply-accumulates', f'{subject.analog_macs:,}'),
        ('model hash', subject.model_hash),
    ]
    return Section(
        'How it was converted',
        'The options stored in the model file, and its size.',
        table=HtmlTable(('option', 'value'), tuple(rows)),
        folded=True,
    )


def _window(window: Window) -> str:
    skipped = f' (first {window.transient} ignored)' if window.transient else ''
    return f'{window.steps}{skipped}'
