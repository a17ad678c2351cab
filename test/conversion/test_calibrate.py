"""Percentiles are those of all samples together, exactly."""

import numpy as np
import pytest
import torch

from spiking_retina_ros.conversion.calibrate import TailPercentiles


@pytest.mark.parametrize(('lower', 'upper'), [(0.01, 99.99), (0.0, 100.0), (5.0, 60.0)])
def test_pooled_percentiles_equal_numpys(lower, upper):
    generator = torch.Generator().manual_seed(0)
    batches = [torch.randn(3, 700, generator=generator) * (1 + index) for index in range(5)]
    tails = TailPercentiles(3500, lower, upper)
    for batch in batches:
        tails.add(batch)
    low, high = tails.result()
    everything = torch.cat(batches, 1).double().numpy()
    np.testing.assert_allclose(low, np.percentile(everything, lower, axis=1), rtol=1e-9)
    np.testing.assert_allclose(high, np.percentile(everything, upper, axis=1), rtol=1e-9)


def test_a_wrong_number_of_samples_is_noticed():
    tails = TailPercentiles(100, 0.01, 99.99)
    tails.add(torch.zeros(2, 99))
    with pytest.raises(ValueError, match='expected 100 samples per channel, found 99'):
        tails.result()
