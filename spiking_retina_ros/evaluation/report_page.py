"""Writes what ``report.examine`` found: PNG figures, one page, and the numbers."""

from __future__ import annotations

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
from spiking_retina_ros.evaluation.figures.transient import draw_transients
from spiking_retina_ros.evaluation.html_page import Section, write_page
from spiking_retina_ros.evaluation.report import Findings, numbers
from spiking_retina_ros.evaluation.report_tables import (
    conversion_section,
    layer_list_section,
    summary_section,
)
from spiking_retina_ros.spiking.network import Window


def write_report(findings: Findings, folder: Path, *, command: str) -> Path:
    """Write ``report.html``, ``report.json`` and the figures into a folder; return the page."""
    sections = [
        summary_section(findings, command),
        *_figures(findings, folder, command),
        layer_list_section(findings),
        conversion_section(findings),
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


def _window(window: Window) -> str:
    skipped = f' (first {window.transient} ignored)' if window.transient else ''
    return f'{window.steps}{skipped}'
