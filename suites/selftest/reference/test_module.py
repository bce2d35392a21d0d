"""A module is filled strictly, and the report says what was done."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from fixtures.reference import MissingTensor, TensorMismatch, UnexpectedTensor
from fixtures.reference.loader import RunaiModelStreamerLoader


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Module(), nn.Module()
        self.embed.weight = nn.Parameter(torch.empty(4, 3))
        self.head.weight = self.embed.weight
        self.register_buffer("kept", torch.ones(2, device="cpu"), persistent=False)
        self.register_buffer("scale", torch.zeros((), dtype=torch.float8_e4m3fn))


@pytest.fixture
def state(tmp_path: Path) -> dict[str, torch.Tensor]:
    weight = torch.randn(4, 3)
    weight[0, 0] = float("nan")
    state = {"embed.weight": weight, "scale": torch.tensor(0.5).to(torch.float8_e4m3fn)}
    save_file(state, tmp_path / "model.safetensors")
    return state


@pytest.mark.parametrize("start", ["cpu", "meta"])
def test_fills_and_reports(
    state: dict[str, torch.Tensor], tmp_path: Path, start: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with torch.device(start):
        module = Tied()
    loader = RunaiModelStreamerLoader()
    report = loader.load_model(module, tmp_path, "cpu")
    assert torch.equal(
        module.get_parameter("head.weight").view(torch.int32), state["embed.weight"].view(torch.int32)
    )
    assert module.get_parameter("head.weight") is module.get_parameter("embed.weight")
    assert torch.equal(module.get_buffer("kept"), torch.ones(2))
    assert module.get_buffer("scale").view(torch.uint8) == state["scale"].view(torch.uint8)
    assert (report.files, report.tensors, report.bytes) == (1, 2, 49)
    assert report.seconds > 0 and report.gib_per_s == pytest.approx(49 / 2**30 / report.seconds)
    assert loader.report == report
    assert "2/2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"scale": None}, MissingTensor, "scale"),
        ({"extra": torch.zeros(1)}, UnexpectedTensor, "extra"),
        ({"embed.weight": torch.zeros(3, 4)}, TensorMismatch, "embed.weight"),
        ({"embed.weight": torch.zeros(4, 3, dtype=torch.float16)}, TensorMismatch, "float16"),
    ],
)
def test_misfits_leave_the_module_alone(
    state: dict[str, torch.Tensor],
    tmp_path: Path,
    change: dict[str, torch.Tensor | None],
    error: type[Exception],
    named: str,
) -> None:
    content = {name: tensor for name, tensor in (state | change).items() if tensor is not None}
    save_file(content, tmp_path / "model.safetensors")
    module = Tied()
    nn.init.ones_(module.get_parameter("embed.weight"))
    before = module.get_parameter("embed.weight").detach().clone()
    with pytest.raises(error, match=named):
        RunaiModelStreamerLoader().load_model(module, tmp_path)
    assert torch.equal(before, module.get_parameter("embed.weight"))
