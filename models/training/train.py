# SPDX-License-Identifier: Apache-2.0
"""Trains the detector for a given number of minutes; the same command goes on where it stopped.

The minutes are processor time of the first process: what else the machine does makes a training
take longer, and no shorter one.

Processes of one thread each work on parts of a batch and average their gradients: on a CPU that
others use as well this is far faster than threads that wait for each other in every layer.
"""

import argparse
import copy
import datetime
import json
import math
import os
import pathlib
import signal
import time

import cv2
import numpy as np
import torch
from torch import distributed

from boxes import points
from data import Augmenter, Pictures, Settings, batch_of, read_crops
from evaluate import evaluate
from losses import detection_loss
from model import BLOCKS, CLASSES, Detector

MOMENTUM, SECOND_MOMENTUM = 0.9, 0.99
WEIGHT_DECAY = 0.05
LAST_RATE = 0.01
LARGEST_GRADIENT = 10.0
EMA_DECAY = 0.999
EMA_RAMP = 300
WARM_UP_PART = 0.04

# Classes in fewer pictures than this part are shown more often.
COMMON = 0.4


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
    groups = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": free, "weight_decay": 0},
    ]
    return torch.optim.AdamW(groups, rate, (MOMENTUM, SECOND_MOMENTUM))


def rate_at(part, peak):
    """After the part (0..1) of the time: linear warm-up, and a cosine to the end."""
    low = peak * LAST_RATE
    rate = low + (peak - low) * (1 + math.cos(math.pi * min(part, 1))) / 2
    return rate * min(1, (part + 1e-4) / WARM_UP_PART)


class Run:
    """What a checkpoint holds, and the steps that change it."""

    def __init__(self, options, rank):
        torch.manual_seed(options.seed)
        self.options, self.rank = options, rank
        self.model = Detector(options.blocks, options.width)
        if options.start:
            self.model.load_state_dict(self._read(options.start)["average"])
        self.average = Average(self.model)
        self.optimizer = optimizer_of(self.model, options.rate)
        self.step = self.images = 0
        self.elapsed, self.clock, self.stopped = 0.0, time.process_time(), False
        self.file = options.output / "checkpoint.pt"

    def restore(self):
        if not self.file.exists():
            return
        state = self._read(self.file)
        self.model.load_state_dict(state["model"])
        self.average.model.load_state_dict(state["average"])
        self.average.steps = self.step = state["step"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.images, self.elapsed = state["images"], state["elapsed"]
        print(f"goes on at step {self.step}, {self.elapsed / 60:.1f} min", flush=True)

    def _read(self, file):
        state = torch.load(file)
        if state["blocks"] != self.options.blocks or state["width"] != self.options.width:
            raise SystemExit(
                f"{file} is of {state['blocks']} blocks, width {state['width']}: "
                f"expected {self.options.blocks}, {self.options.width}; "
                "give another --output, --start or --blocks"
            )
        return state

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

    def learn(self, batch, centres, strides, rate, stop):
        """One step of all processes; its losses, or None where they were not finite."""
        pixels, truth, ignore = batch
        images = pixels.permute(0, 3, 1, 2).contiguous().float().div_(255)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.cpu.amp.autocast(enabled=self.options.half):
            logits, distances = self.model(images)
        loss, *parts = detection_loss(logits, distances, centres, strides, truth, ignore)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._average_gradients(stop)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        if not torch.isfinite(norm):
            return None
        self.optimizer.step()
        if self.rank == 0:
            self.average.update(self.model)
        self.step += 1
        self.images += len(images) * self.options.processes
        return [float(loss), float(parts[0]), float(parts[1]), parts[2], float(norm)]

    def _average_gradients(self, stop):
        """Also tells all processes the first one's clock, and whether it was asked to stop."""
        now = time.process_time()
        elapsed = self.elapsed + now - self.clock
        if self.options.processes > 1:
            parameters = [p for p in self.model.parameters() if p.grad is not None]
            first = torch.tensor([elapsed, float(stop)]) * (self.rank == 0)
            flat = torch.cat([p.grad.reshape(-1) for p in parameters] + [first])
            distributed.all_reduce(flat)
            elapsed, stop = flat[-2].item(), flat[-1].item() > 0
            flat /= self.options.processes
            at = 0
            for p in parameters:
                p.grad.copy_(flat[at : at + p.numel()].view_as(p))
                at += p.numel()
        self.elapsed, self.stopped, self.clock = elapsed, stop, now


def log(options, kind, **values):
    row = {"kind": kind, "time": round(time.time(), 1), **values}
    with open(options.output / "log.jsonl", "a") as file:
        file.write(json.dumps(row) + "\n")
    parts = (f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in values.items())
    print(kind, *parts, flush=True)


def report(run, pictures, limit=None):
    options = run.options
    precisions = evaluate(run.average.model, pictures, limit, half=options.half)
    each = {name: round(float(p), 4) for name, p in zip(CLASSES, precisions) if p == p}
    mean = round(float(np.nanmean(precisions)), 4)
    log(options, "evaluation", minutes=run.elapsed / 60, step=run.step, map50=mean, **each)
    return mean


def chances(pictures, shares):
    """Of each picture to be drawn: more of those with rare classes, and each folder's share.

    The former are repeat factors (https://arxiv.org/abs/1908.03195, appendix B).
    """
    kinds = [np.unique(truth[:, 0]).astype(int) for p in pictures.parts for truth in p.truth]
    count = np.bincount(np.concatenate(kinds), minlength=len(CLASSES))
    factor = np.sqrt(np.maximum(1, COMMON * len(kinds) / np.maximum(count, 1)))
    weights = np.array([factor[own].max(initial=1) for own in kinds])
    at = 0
    for share, part in zip(shares or [], pictures.parts):
        own = slice(at, at + len(part.truth))
        weights[own] *= share / weights[own].sum()
        at += len(part.truth)
    return weights


def train(options, rank=0):
    """All of it; every process runs this, the first one writes and evaluates."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    pictures = Pictures(options.data, options.work)
    weights = chances(pictures, options.shares)
    crops = read_crops(options.crops)
    held_out = Pictures([options.held_out], options.work) if options.held_out else None
    if options.processes > 1:
        join(options, rank)
    run = Run(options, rank)
    run.restore()
    stop = []
    if rank == 0:
        print(f"{len(pictures)} pictures, {len(crops)} crops, {options.blocks} blocks", flush=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.append(True))
    else:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    total = 60 * (options.minutes_mosaic + options.minutes_plain)
    phases = [
        ("mosaic", options.mosaic_size, 60 * options.minutes_mosaic),
        ("plain", options.plain_size, total),
    ]
    saved = evaluated = run.elapsed
    failures = 0
    for name, (width, height), end in phases:
        settings = Settings.of(width, height, name == "mosaic")
        augmenter = Augmenter(pictures, crops, settings, weights, [options.seed, rank, run.step])
        centres, strides = points(height, width)
        run.model.train()
        run.clock = used = time.process_time()
        before, seen, losses = time.time(), run.images, []
        while run.elapsed < end and not run.stopped:
            batch = batch_of(augmenter, options.batch // options.processes)
            rate = rate_at(run.elapsed / total, options.rate)
            result = run.learn(batch, centres, strides, rate, bool(stop))
            failures = failures + 1 if result is None else 0
            if failures > 20:
                raise SystemExit("losses are not finite: expected them to be; lower --rate")
            if rank != 0 or result is None:
                continue
            losses.append(result)
            if len(losses) == 50:
                mean = [float(value) for value in np.mean(losses, 0)]
                now = time.time()
                log(
                    options,
                    name,
                    minutes=run.elapsed / 60,
                    step=run.step,
                    rate=float(rate),
                    **dict(zip(("loss", "cls", "box", "positives", "norm"), mean)),
                    images_per_s=(run.images - seen) / (now - before),
                    cores=options.processes * (time.process_time() - used) / (now - before),
                )
                before, used, seen, losses = now, time.process_time(), run.images, []
            if run.elapsed - saved > 60 * options.checkpoint_minutes:
                run.save()
                saved = run.elapsed
            if held_out and run.elapsed - evaluated > 60 * options.evaluate_minutes:
                report(run, held_out, 150)
                evaluated = run.elapsed
                # Evaluation is not training time.
                run.clock = used = time.process_time()
                before, seen, losses = time.time(), run.images, []
        if rank == 0:
            run.save()
    if run.stopped:
        # Not done: what would follow must not.
        raise SystemExit("stopped; the same command goes on")
    if held_out and rank == 0:
        return report(run, held_out)
    return None


def join(options, rank):
    """Meets the other processes through a file that only this start of the run uses."""
    distributed.init_process_group(
        "gloo",
        init_method=f"file://{options.meeting}",
        rank=rank,
        world_size=options.processes,
        timeout=datetime.timedelta(minutes=30),
    )


def main(options):
    options.output.mkdir(parents=True, exist_ok=True)
    # Decoded once, before the others look for it.
    Pictures(options.data + ([options.held_out] if options.held_out else []), options.work)
    options.meeting = (options.output / f"meeting-{os.getpid()}-{time.time_ns()}").resolve()
    context = torch.multiprocessing.get_context("spawn")
    for rank in range(1, options.processes):
        context.Process(target=train, args=(options, rank), daemon=True).start()
    try:
        return train(options)
    finally:
        options.meeting.unlink(missing_ok=True)


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
    add("--start", type=pathlib.Path, help="checkpoint whose averaged weights to begin with")
    add("--blocks", choices=BLOCKS, default="qarepvgg")
    add("--width", type=float, default=0.25)
    add("--minutes-mosaic", type=float, default=33)
    add("--minutes-plain", type=float, default=27)
    add("--mosaic-size", type=size, default="384x224")
    add("--plain-size", type=size, default="512x288")
    add("--batch", type=int, default=16, help="of all processes together")
    add("--rate", type=float, default=0.002, help="peak learning rate")
    add("--seed", type=int, default=1)
    add("--processes", type=int, default=2, help="one for each core to use")
    add("--float32", dest="half", action="store_false", help="no bfloat16")
    add("--checkpoint-minutes", type=float, default=3)
    add("--evaluate-minutes", type=float, default=10)
    options = parser.parse_args(argv)
    if options.shares and len(options.shares) != len(options.data):
        parser.error("--shares: expected as many as --data has folders")
    # None without a picture.
    options.processes = min(options.processes, options.batch)
    return options


if __name__ == "__main__":
    main(arguments())
