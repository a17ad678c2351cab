"""The table of record, from files to table, json and figures."""

import json

import pytest
from small_detector import analog_network, finetuned, photographs, write_set

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.commands.ablation import row_steps
from spiking_retina_ros.conversion.finetuned_file import save_finetuned
from spiking_retina_ros.errors import UserError
from spiking_retina_ros.evaluation import bench
from spiking_retina_ros.evaluation.ablation_rows import ablation_rows, choose_rows
from spiking_retina_ros.retinanet.checkpoint import save_retinanet

ROWS = ablation_rows(keep_dead_channels=True)


@pytest.fixture(scope='module')
def words(tmp_path_factory):
    """The command on a small network and set."""
    folder = tmp_path_factory.mktemp('files')
    analog = analog_network()
    save_retinanet(folder / 'analog.safetensors', analog.config, analog.state_dict())
    save_finetuned(folder / 'finetuned.safetensors', finetuned(analog))
    data = write_set(folder, photographs(3), [[(20, 30, 40, 20, 1)], [(3, 3, 20, 20, 2)], []])
    return [
        *('ablation', str(folder / 'analog.safetensors'), '--keep-dead-channels'),
        *('--data', str(data), '--images', str(data), '--steps', '2,4'),
        *('--finetuned', str(folder / 'finetuned.safetensors')),
        *('--calibrated', str(folder / 'finetuned.safetensors')),
    ]


def test_rows_become_one_table_and_the_same_one_again_without_simulating(
    words, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'calibrations'))
    rows = ['paper', 'fast', 'calibrated-biases', 'calibrated', 'finetuned']
    output = {name: tmp_path / name for name in ('a.json', 'a.md', 'curve.png', 'layers.png')}
    more = ['--rows', *rows, '--max-steps', 'calibrated-biases=2', '--timing-images', '1']
    more += ['--cache', str(tmp_path / 'cache'), '--json', str(output['a.json'])]
    more += ['--markdown', str(output['a.md']), '--figure', str(output['curve.png'])]
    drawn = ['--profile', str(output['layers.png']), '--profile-steps', '2']
    assert main([*words, *more, *drawn]) == 0
    values = json.loads(output['a.json'].read_text())
    found = [(entry['model'], entry['steps'], entry['schedule']) for entry in values['spiking']]
    assert found == [
        ('paper', 2, 'concurrent'),
        ('paper', 4, 'concurrent'),
        ('fast', 2, 'phased'),
        ('fast', 4, 'phased'),
        ('calibrated-biases', 2, 'phased'),
        ('calibrated', 2, 'phased'),
        ('calibrated', 4, 'phased'),
        ('finetuned', 2, 'phased'),
        ('finetuned', 4, 'phased'),
    ]
    assert all(entry['ms_per_frame'] > 0 for entry in values['spiking'])
    assert set(values['profiles']) == set(rows)
    assert all(path.stat().st_size > 0 for path in output.values())
    lines = output['a.md'].read_text().splitlines()
    assert [line.count('|') for line in lines[2:]] == [len(lines[2].split('|')) - 1] * 7
    assert 'fast, fine-tuned' in capsys.readouterr().out

    monkeypatch.setattr(bench, 'spiking_answers', None)  # nothing may be simulated again
    monkeypatch.setattr(bench, 'stage_answer', None)
    assert main([*words, *more]) == 0
    again = json.loads(output['a.json'].read_text())
    for entry in (*values['spiking'], *again['spiking']):
        del entry['ms_per_frame']
    assert again['spiking'] == values['spiking']


def test_each_option_is_left_out_once():
    base = next(row for row in ROWS if row.name == 'fast')
    singles = [row for row in ROWS if row.origin == 'analog' and not row.name.startswith('paper')]
    for row in singles:
        options = {
            key
            for key, value in row.options.as_dict().items()
            if value != base.options.as_dict()[key]
        }
        # a shift is what replaces signed spikes; corrective ones only differ where there is time
        assert len(options - {'shift'}) + (row.schedule != base.schedule) <= 1 + (
            row.name == 'concurrent-corrective'
        )
    assert len({(row.options, row.schedule, row.origin) for row in ROWS}) == len(ROWS)


def test_rows_and_their_windows_are_chosen_by_name():
    assert [row.name for row in choose_rows(ROWS, ['fast', 'paper'], {'analog'})] == [
        'paper',
        'fast',
    ]
    found = {row.origin for row in choose_rows(ROWS, None, {'analog', 'calibrated'})}
    assert found == {'analog', 'calibrated'}
    assert row_steps('paper', [4, 8, 16], ['8', 'paper=4'], ROWS) == [4]
    assert row_steps('fast', [4, 8, 16], ['8', 'paper=4'], ROWS) == [4, 8]
    with pytest.raises(UserError, match="unknown row 'slow'"):
        choose_rows(ROWS, ['slow'], {'analog'})
    with pytest.raises(UserError, match='give it with --finetuned'):
        choose_rows(ROWS, ['finetuned'], {'analog', 'calibrated'})
    with pytest.raises(UserError, match='at most 2 steps'):
        row_steps('fast', [4, 8], ['2'], ROWS)
    with pytest.raises(UserError, match="no row 'slow'"):
        row_steps('fast', [4, 8], ['slow=4'], ROWS)
