import torch

from vlmrm.training.extractors import symlog


def test_symlog_keeps_signs_and_small_values_and_compresses_large_ones():
    x = torch.tensor([-1e4, -0.01, 0.0, 0.01, torch.e - 1])
    result = symlog(x)
    torch.testing.assert_close(
        result[1:], torch.tensor([-0.00995, 0, 0.00995, 1]), atol=1e-5, rtol=0
    )
    assert result[0] == -torch.log1p(torch.tensor(1e4))
