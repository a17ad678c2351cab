"""The tables of a report's page."""

from __future__ import annotations

from collections.abc import Mapping

from spiking_retina_ros.evaluation.figures.style import short_name
from spiking_retina_ros.evaluation.html_page import HtmlTable, Section
from spiking_retina_ros.evaluation.report import Findings
from spiking_retina_ros.evaluation.results import STAGES, Scored
from spiking_retina_ros.evaluation.tables import NOTHING, per_cent, short_count
from spiking_retina_ros.spiking.network import Window


def summary_section(findings: Findings, command: str) -> Section:
    """Return the table of accuracy and cost, one row per network and window."""
    evaluation = findings.evaluation
    subject = evaluation.subjects[0]
    names = evaluation.class_names if len(evaluation.class_names) <= 4 else ()
    head = ['network', 'steps', 'transient', 'mAP@0.5', 'mAP@[.5:.95]', 'loss, points', '95 %']
    head += [f'{name} AP' for name in names]
    head += ['AP by size S / M / L', 'rate', 'spikes', 'synaptic ops', 'per MAC', 'ms']
    rows = [
        _row('analog', evaluation.analog, names, is_analog=True),
        *(_row(STAGES[key], scored, names) for key, scored in subject.stages.items()),
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


def layer_list_section(findings: Findings) -> Section:
    """Return the populations by the numbers that the figures give them, and their errors."""
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


def conversion_section(findings: Findings) -> Section:
    """Return the options the model was converted with, and its size."""
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
