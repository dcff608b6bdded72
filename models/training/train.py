# SPDX-License-Identifier: Apache-2.0
"""Trains the detector for a given number of minutes; the same command goes on where it stopped."""

import argparse
import copy
import json
import math
import os
import pathlib
import signal
import time

# Threads that wait leave the core to the loader.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from boxes import points
from data import Pictures, Settings, loader, read_crops
from evaluate import evaluate
from losses import detection_loss
from model import BLOCKS, CLASSES, Detector

MOMENTUM = 0.937
WEIGHT_DECAY = 5e-4
LAST_RATE = 0.01
LARGEST_GRADIENT = 10.0
EMA_DECAY = 0.999
EMA_RAMP = 300
WARM_UP_STEPS = 300


class Average:
    """Exponential moving average of weights and statistics."""

    def __init__(self, model):
        self.model = copy.deepcopy(model).eval()
        self.steps = 0

    @torch.no_grad()
    def update(self, model):
        self.steps += 1
        decay = EMA_DECAY * (1 - math.exp(-self.steps / EMA_RAMP))
        own, other = self.model.state_dict(), model.state_dict()
        keys = [key for key in own if own[key].dtype.is_floating_point]
        torch._foreach_mul_([own[key] for key in keys], decay)
        torch._foreach_add_([own[key] for key in keys], [other[key] for key in keys], alpha=1 - decay)


def optimizer_of(model, rate):
    decayed, free = [], []
    for parameter in model.parameters():
        (decayed if parameter.ndim > 1 else free).append(parameter)
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": free}]
    return torch.optim.SGD(groups, rate, MOMENTUM, nesterov=True)


def rate_at(part, step, peak):
    """Linear warm-up over steps, then a cosine over the part (0..1) of the time that is gone."""
    low = peak * LAST_RATE
    rate = low + (peak - low) * (1 + math.cos(math.pi * min(part, 1))) / 2
    return rate * min(1, (step + 1) / WARM_UP_STEPS)


class Run:
    """What a checkpoint holds, and the steps that change it."""

    def __init__(self, options):
        torch.manual_seed(options.seed)
        self.options = options
        self.model = Detector(options.blocks, options.width)
        self.model = self.model.to(memory_format=torch.channels_last)
        self.average = Average(self.model)
        self.optimizer = optimizer_of(self.model, options.rate)
        self.step = self.images = 0
        self.elapsed = 0.0
        self.file = options.output / "checkpoint.pt"

    def restore(self):
        if not self.file.exists():
            return
        state = torch.load(self.file)
        if state["blocks"] != self.options.blocks or state["width"] != self.options.width:
            raise SystemExit(
                f"{self.file} is of {state['blocks']} blocks, width {state['width']}: "
                "expected the same ones; give another --output"
            )
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.average.steps = self.step = state["step"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.images, self.elapsed = state["images"], state["elapsed"]
        print(f"goes on at step {self.step}, {self.elapsed / 60:.1f} min", flush=True)

    def save(self):
        state = {
            "blocks": self.options.blocks,
            "width": self.options.width,
            "classes": CLASSES,
            "seed": self.options.seed,
            "model": self.model.state_dict(),
            "average": self.average.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "images": self.images,
            "elapsed": self.elapsed,
        }
        partial = self.file.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, self.file)

    def learn(self, batch, centres, strides, rate):
        """One step; its losses, or None where they were not finite and it was left out."""
        pixels, truth, ignore = batch
        images = pixels.permute(0, 3, 1, 2).float().div_(255)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.cpu.amp.autocast(enabled=self.options.half):
            logits, distances = self.model(images)
        loss, *parts = detection_loss(logits, distances, centres, strides, truth, ignore)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        if not torch.isfinite(norm):
            return None
        self.optimizer.step()
        self.average.update(self.model)
        self.step += 1
        self.images += len(images)
        return [float(loss), float(parts[0]), float(parts[1]), parts[2], float(norm)]


def log(options, kind, **values):
    row = {"kind": kind, "time": round(time.time(), 1), **values}
    with open(options.output / "log.jsonl", "a") as file:
        file.write(json.dumps(row) + "\n")
    print(" ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()
                   if k != "time"), flush=True)  # fmt: skip


def report(run, pictures, limit=None):
    options = run.options
    precisions = evaluate(run.average.model, pictures, limit, half=options.half)
    each = {name: round(float(p), 4) for name, p in zip(CLASSES, precisions) if p == p}
    mean = round(float(np.nanmean(precisions)), 4)
    log(options, "evaluation", minutes=run.elapsed / 60, step=run.step, map50=mean, **each)
    return mean


def train(options):
    torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)
    pictures = Pictures(options.data, options.work)
    # Each data set has its share however many pictures it has.
    shares = dict(zip(pictures.folders, options.shares or [1.0] * len(pictures.folders)))
    lengths = [len(part.sizes) for part in pictures.parts]
    weights = np.concatenate(
        [np.full(n, shares[f] / n) for f, n in zip(pictures.folders, lengths)]
    ) if options.shares else np.ones(len(pictures))  # fmt: skip
    held_out = Pictures([options.held_out], options.work) if options.held_out else None
    crops = read_crops(options.crops)
    print(f"{len(pictures)} pictures, {len(crops)} crops, blocks {options.blocks}", flush=True)

    run = Run(options)
    run.restore()

    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))

    total = 60 * (options.minutes_mosaic + options.minutes_plain)
    phases = [
        ("mosaic", options.mosaic_size, 60 * options.minutes_mosaic),
        ("plain", options.plain_size, total),
    ]
    last_saved = last_evaluated = run.elapsed
    for name, (width, height), end in phases:
        if run.elapsed >= end or stopped:
            continue
        settings = Settings.of(width, height, name == "mosaic")
        batches = iter(
            loader(
                pictures, crops, settings, weights, options.batch, [options.seed, run.step],
                workers=options.workers,
            )  # fmt: skip
        )
        centres, strides = points(height, width)
        run.model.train()
        before, seen, losses, waited, lost = time.time(), run.images, [], 0.0, 0
        while run.elapsed < end and not stopped:
            start = time.time()
            batch = next(batches)
            waited += time.time() - start
            rate = rate_at(run.elapsed / total, run.step, options.rate)
            result = run.learn(batch, centres, strides, rate)
            run.elapsed += time.time() - start
            if result is None:
                lost += 1
                if lost > 20:
                    raise SystemExit("losses are not finite: lower --rate")
                continue
            losses.append(result)
            if len(losses) == 50:
                now = time.time()
                mean = np.mean(losses, 0)
                log(
                    options, name, minutes=run.elapsed / 60, step=run.step, rate=float(rate),
                    loss=mean[0], cls=mean[1], box=mean[2], positives=mean[3], norm=mean[4],
                    images_per_s=(run.images - seen) / (now - before),
                    waiting=waited / (now - before), lost=lost,
                )  # fmt: skip
                before, seen, losses, waited = now, run.images, [], 0.0
            if run.elapsed - last_saved > 60 * options.checkpoint_minutes:
                run.save()
                last_saved = run.elapsed
            if held_out and run.elapsed - last_evaluated > 60 * options.evaluate_minutes:
                report(run, held_out, 150)
                last_evaluated = run.elapsed
                before, seen, losses, waited = time.time(), run.images, [], 0.0
        del batches
        run.save()
    if stopped:
        print("stopped; the same command goes on", flush=True)
        return None
    if held_out:
        return report(run, held_out)
    return None


def size(text):
    width, height = (int(part) for part in text.split("x"))
    if width % 32 or height % 32:
        raise argparse.ArgumentTypeError(f"{text}: expected multiples of 32, such as 384x224")
    return width, height


def arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--data", nargs="+", required=True, help="data set folders")
    add("--shares", nargs="+", type=float, help="how much of what is shown is of each folder")
    add("--held-out", help="data set folder to evaluate on")
    add("--crops", help="folder of cut-out objects to paste")
    add("--output", type=pathlib.Path, required=True, help="checkpoint and log go here")
    add("--work", type=pathlib.Path, required=True, help="decoded pictures are kept here")
    add("--blocks", choices=BLOCKS, default="qarepvgg")
    add("--width", type=float, default=0.25)
    add("--minutes-mosaic", type=float, default=33)
    add("--minutes-plain", type=float, default=27)
    add("--mosaic-size", type=size, default="384x224")
    add("--plain-size", type=size, default="512x288")
    add("--batch", type=int, default=16)
    add("--rate", type=float, default=0.01, help="peak learning rate")
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=2)
    add("--workers", type=int, default=1, help="loader processes")
    add("--float32", dest="half", action="store_false", help="no bfloat16")
    add("--checkpoint-minutes", type=float, default=3)
    add("--evaluate-minutes", type=float, default=10)
    options = parser.parse_args(argv)
    if options.shares and len(options.shares) != len(options.data):
        parser.error("--shares: expected as many as --data has folders")
    return options


if __name__ == "__main__":
    train(arguments())
