"""What all figures have in common: colours that colour-blind readers tell apart, sizes, saving."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from spiking_retina_ros.spiking.topology import Population

# Okabe and Ito's palette
BLACK, ORANGE, SKY, GREEN = '#000000', '#E69F00', '#56B4E9', '#009E73'
YELLOW, BLUE, VERMILION, PURPLE = '#F0E442', '#0072B2', '#D55E00', '#CC79A7'
GREY = '#666666'
DOTS_PER_INCH = 130
# Numbers of steps whose ratio is smaller would overlap on the logarithmic axis.
LABEL_SPACING = 1.24

# beginnings of names -> the part of a RetinaNet; anything else belongs to what came before it
SECTIONS = (
    ('backbone_body', 'backbone'),
    ('backbone_fpn', 'pyramid'),
    ('head_classification', 'class head'),
    ('head_regression', 'box head'),
)


def new_figure(width: float, height: float, *, square: bool = False) -> Figure:
    """Return a figure of so many inches, drawn without any display; ``square`` axes lie closer."""
    figure = Figure(figsize=(width, height), layout='compressed' if square else 'constrained')
    FigureCanvasAgg(figure)
    return figure


def tidy(axes: Axes) -> Axes:
    """Take away the frame where it says nothing, add a light grid."""
    axes.spines[['top', 'right']].set_visible(False)
    axes.grid(True, color='#dddddd', linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def save(figure: Figure, path: Path) -> Path:
    """Write the figure as PNG and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DOTS_PER_INCH)
    return path


def sections(names: Iterable[str]) -> list[tuple[str, int, int]]:
    """Return (section, first, last) runs of populations in order of depth, both ends included."""
    runs: list[tuple[str, int, int]] = []
    current = 'network'
    for index, name in enumerate(names):
        current = next((part for start, part in SECTIONS if name.startswith(start)), current)
        if runs and runs[-1][0] == current:
            runs[-1] = (current, runs[-1][1], index)
        else:
            runs.append((current, index, index))
    return runs


def mark_sections(axes: Axes, names: Iterable[str], *, shade: bool = True) -> None:
    """Write the parts of the network along the top, and shade every other or draw lines between."""
    for number, (section, first, last) in enumerate(sections(names)):
        if not shade:
            axes.axvline(first - 0.5, color=GREY, linewidth=0.8)
        elif number % 2:
            axes.axvspan(first - 0.5, last + 0.5, color='#f2f2f2', zorder=0)
        axes.text(
            (first + last) / 2,
            1.01,
            section,
            transform=axes.get_xaxis_transform(),
            ha='center',
            va='bottom',
            fontsize=9 if shade else 7,  # without shades panels are small
            color=GREY,
        )


def step_ticks(axes: Axes, steps: Iterable[int]) -> None:
    """Use a logarithmic axis of simulated steps with a tick at each measured time."""
    ticks = sorted(set(steps))
    labels = [''] * len(ticks)
    room = math.inf  # from the longest window down, a label where it does not touch the last one
    for place in reversed(range(len(ticks))):
        if ticks[place] * LABEL_SPACING <= room:
            labels[place], room = str(ticks[place]), ticks[place]
    axes.set_xscale('log', base=2)
    axes.set_xticks(ticks, labels)
    axes.minorticks_off()
    axes.set_xlabel('simulated steps')


def plain_numbers(axis: Axis) -> None:
    """Write the ticks of a logarithmic axis as plain numbers, few enough to be read."""
    axis.set_major_locator(LogLocator(10, subs=(1, 2, 5), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    axis.set_minor_formatter(NullFormatter())


def title_of(index: int, names: Sequence[str]) -> str:
    """Return a title for one of the populations: its part of the network, number and name."""
    section = next(part for part, first, last in sections(names) if first <= index <= last)
    name = short_name(names[index]).removeprefix(section).strip()
    return f'{section}, number {index}\n{name}'


def short_name(population: Population | str) -> str:
    """Return a population's name as it fits on a figure."""
    name = population if isinstance(population, str) else population.name
    for long, short in (
        ('backbone_body_', ''),
        ('backbone_fpn_', 'pyramid '),
        ('head_classification_head_', 'class head '),
        ('head_regression_head_', 'box head '),
    ):
        name = name.replace(long, short)
    return name
