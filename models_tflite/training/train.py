"""The training loop: phases, averaging, checkpoints, validation while it runs.

One command for processor and accelerator. A run can be stopped at any moment and goes on from its last checkpoint; the averaged weights
in it are the usable model.
"""

import dataclasses
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from models_tflite.training import feed, losses, measure
from models_tflite.training.network import STRIDES, Detector, Shape
from models_tflite.training.pictures import Picture
from models_tflite.training.recipe import Phase, Recipe

CANDIDATES_MAX = 300


def device() -> torch.device:
    """An accelerator where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_input(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 [b, 3, h, w] to the network's -1..1, channels last in memory."""
    return (pixels.to(device()).float() / 127.5 - 1).to(memory_format=torch.channels_last)


def rate_at(phase: Phase, step: int) -> float:
    """Learning rate `step` steps into a phase: rise, plateau, half a cosine to nothing."""
    left = min(1.0, (phase.steps - step) / max(1, round(phase.steps * phase.decay)))
    return phase.rate * min(1.0, (step + 1) / max(1, phase.rise)) * (1 - math.cos(math.pi * left)) / 2


def optimiser(detector: Detector, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a slower body; frozen layers are left out; biases do not decay."""
    body = {id(parameter) for part in (detector.stem, detector.blocks) for parameter in part.parameters()}
    frozen = [detector.stem, *detector.blocks[: detector.frozen]] if detector.frozen else []
    still = {id(parameter) for part in frozen for parameter in part.parameters()}
    groups = [
        {
            "params": [p for n, p in detector.named_parameters() if id(p) not in still and (id(p) in body) == slow and n.endswith(kind)],
            "share": recipe.body_rate if slow else 1.0,
            "weight_decay": recipe.weight_decay if kind == "weight" else 0.0,
        }
        for slow in (False, True)
        for kind in ("weight", "bias")
    ]
    return torch.optim.AdamW(groups, lr=1e-3, foreach=True)


def run(recipe: Recipe, sources: dict[str, list[Picture]], held: dict[str, list[Picture]], detector: Detector, folder: Path) -> Detector:
    """Trains through all phases, writing checkpoints and `log.jsonl` to `folder`; returns the averaged network."""
    import cv2

    cv2.setNumThreads(1)  # before the first call: workers are forked later, and a forked thread pool hangs
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    detector = detector.to(device(), memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(detector, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.averaging))
    first, stepper_state = resume(folder / "last.pt", detector, average)
    progress = tqdm(total=recipe.steps(), initial=first, desc="training", unit="step", mininterval=10)
    begun = 0
    for phase in recipe.phases:
        start, end = max(first, begun), begun + phase.steps
        if start < end:
            detector.frozen = phase.frozen
            stepper = optimiser(detector, recipe)
            if start > begun:
                stepper.load_state_dict(stepper_state)
            if start == 0:
                detector.fit_gains(to_input(next(feed.batches(feed.Batches(recipe, phase, sources, first=0, last=1), 0))[0]))
                average.module.load_state_dict(detector.state_dict())
            dataset = feed.Batches(recipe, phase, sources, first=start, last=end)
            for step, batch in enumerate(feed.batches(dataset, recipe.workers), start=start):
                rate = rate_at(phase, step - begun)
                loss = train_step(detector, stepper, batch, (rate, phase.edge_weight), recipe.gradient_norm_max)
                average.multi_avg_fn = torch.optim.swa_utils.get_ema_multi_avg_fn(memory_at(recipe, step))
                average.update_parameters(detector)
                progress.update()
                progress.set_postfix(peak=f"{loss[0]:.2f}", edge=f"{loss[1]:.2f}", refresh=False)
                keep(folder, recipe, step + 1, (detector, average, stepper), held, loss)
            save(folder / "last.pt", end, detector, average, stepper)
        begun = end
    progress.close()
    return average.module


def memory_at(recipe: Recipe, step: int) -> float:
    """How much of itself the average keeps at a step: it starts young."""
    return min(recipe.averaging, (step + 2) / (step + 12))


def train_step(detector, stepper, batch, rate_and_weight: tuple[float, float], norm_max: float) -> tuple[float, float]:
    """One step at a learning rate with a weight for the edges; returns (peak loss, edge loss)."""
    rate, edge_weight = rate_and_weight
    for group in stepper.param_groups:
        group["lr"] = rate * group["share"]
    pixels, *flat = batch
    flat = [array.to(device()) for array in flat]
    wanted = [tuple(flat[3 * level : 3 * level + 3]) for level in range(len(STRIDES))]
    with torch.autocast(device().type, torch.bfloat16):
        outputs = detector(to_input(pixels))
    peaks, edges = losses.total(outputs, wanted)
    stepper.zero_grad(set_to_none=True)
    (peaks + edge_weight * edges).backward()
    torch.nn.utils.clip_grad_norm_(detector.parameters(), norm_max)
    stepper.step()
    return float(peaks.detach()), float(edges.detach())


def keep(folder: Path, recipe: Recipe, step: int, parts: tuple, held: dict[str, list[Picture]], loss: tuple[float, float]) -> None:
    """Checkpoint and validation when they are due."""
    detector, average, stepper = parts
    if step % recipe.checkpoint_steps == 0:
        save(folder / "last.pt", step, detector, average, stepper)
        line = {"step": step, "time": round(time.time()), "peak": round(loss[0], 3), "edge": round(loss[1], 3)}
        if step % recipe.validate_steps == 0:
            line |= {name: round(precision(average.module, pictures, 320), 4) for name, pictures in held.items()}
            save(folder / f"step-{step}.pt", step, detector, average, stepper)
        with (folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")


def save(path: Path, step: int, detector, average, stepper) -> None:
    """Writes a checkpoint whole or not at all."""
    state = {
        "step": step,
        "shape": dataclasses.asdict(detector.shape),
        "detector": detector.state_dict(),
        "average": average.state_dict(),
        "stepper": stepper.state_dict(),
    }
    torch.save(state, path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)


def resume(path: Path, detector, average) -> tuple[int, dict]:
    """Goes on from a checkpoint if there is one; returns the steps done and the optimiser's state."""
    if not path.exists():
        return 0, {}
    state = torch.load(path, map_location=device(), weights_only=True)
    detector.load_state_dict(state["detector"])
    average.load_state_dict(state["average"])
    return int(state["step"]), state["stepper"]


def load_average(path: Path) -> Detector:
    """The averaged network of a checkpoint, ready to be judged or exported."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    detector = Detector(Shape(**state["shape"]))
    detector.load_state_dict({key.removeprefix("module."): value for key, value in state["average"].items() if key.startswith("module.")})
    return detector.eval()


def decode(outputs: list, score_min: float = 0.02) -> Iterator[measure.Found]:
    """The heads' outputs to boxes in 0..1, one `Found` a picture: threshold, 3x3 peaks; no suppression yet."""
    for index in range(outputs[0][0].shape[0]):
        boxes, scores = [], []
        for (logits, distances), stride in zip(outputs, STRIDES, strict=True):
            chance = logits[index : index + 1].float().sigmoid()
            best = torch.nn.functional.max_pool2d(chance, 3, 1, 1)
            y, x = torch.nonzero((chance == best)[0, 0] & (chance[0, 0] > score_min), as_tuple=True)
            d = distances[index, :, y, x].float()
            corners = torch.stack([x + 0.5 - d[0], y + 0.5 - d[1], x + 0.5 + d[2], y + 0.5 + d[3]], dim=1) * stride
            side = torch.tensor([chance.shape[3], chance.shape[2]] * 2, device=corners.device) * stride
            boxes.append((corners / side).clamp(0, 1).cpu().numpy())
            scores.append(chance[0, 0, y, x].cpu().numpy())
        every, all_scores = np.concatenate(boxes), np.concatenate(scores)
        order = np.argsort(-all_scores, kind="stable")[:CANDIDATES_MAX]
        yield measure.Found(every[order], all_scores[order])


def precision(detector: Detector, pictures: list[Picture], size: int) -> float:
    """AP50 of the float network on pictures resized to a square of `size`."""
    import cv2

    found, truth = [], []
    with torch.no_grad():
        for picture in pictures:
            height, width = picture.pixels.shape[:2]
            small = cv2.resize(picture.pixels, (size, size), interpolation=cv2.INTER_AREA if width > size else cv2.INTER_LINEAR)
            outputs = detector(to_input(torch.from_numpy(small).permute(2, 0, 1)[None]))
            found.extend(measure.suppress(one, 0.55) for one in decode(outputs))
            truth.append(picture.boxes / np.array([width, height, width, height], np.float32))
    return measure.average_precision(found, truth)
