"""The energy estimate over simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spiking_retina_ros.evaluation.energy import Energy
from spiking_retina_ros.evaluation.figures import style


def draw_energy(energies: Sequence[Energy], path: Path) -> Path:
    """Write estimated millijoules per frame at each window, beside the analog network's."""
    figure = style.new_figure(8, 4.8)
    axes = style.tidy(figure.subplots())
    analog = energies[0].analog_joules * 1e3
    axes.axhline(analog, color=style.BLACK, linewidth=1.8, label=f'analog: {analog:.2f} mJ')
    ordered = sorted(energies, key=lambda energy: energy.steps)
    steps = [energy.steps for energy in ordered]
    values = [energy.spiking_joules * 1e3 for energy in ordered]
    axes.plot(steps, values, color=style.BLUE, marker='o', linewidth=2, label='spiking')
    for x, y in zip(steps, values, strict=True):
        axes.annotate(
            f'{y / analog:.2g} x',
            (x, y),
            textcoords='offset points',
            xytext=(0, 8),
            ha='center',
            fontsize=9,
            color=style.BLUE,
        )
    style.step_ticks(axes, steps)
    axes.set_yscale('log')
    style.plain_numbers(axes.yaxis)
    axes.set_ylim(min(*values, analog) * 0.7, max(*values, analog) * 1.5)
    axes.set_ylabel('estimated energy per frame, mJ')
    axes.legend(loc='upper left', framealpha=0.95)
    axes.set_title('an estimate by operation counts, not a measurement', fontsize=10)
    return style.save(figure, path)
