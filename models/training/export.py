# SPDX-License-Identifier: Apache-2.0
"""Writes a checkpoint's averaged weights as ONNX in training form: `model fuse` does the fusion."""

import argparse
import json
import pathlib

import torch
from torch import nn

from boxes import points
from data import BORDER, SERVED_HEIGHT, SERVED_WIDTH
from model import CLASSES, Detector

OPSET = 13


class Decoded(nn.Module):
    """From images [1, 3, H, W] to [1, A, 5 + C]: cx, cy, w, h in pixels, 1, class scores."""

    def __init__(self, model, width, height):
        super().__init__()
        self.model = model
        centres, strides = points(height, width)
        self.register_buffer("anchors", (centres / strides)[None])
        self.register_buffer("strides", strides[None])
        self.register_buffer("objectness", torch.ones(1, len(strides), 1))

    def forward(self, images):
        scores, distances = [], []
        for cls, reg in self.model.levels(images):
            cells = int(cls.shape[2]) * int(cls.shape[3])
            scores.append(cls.sigmoid().reshape(1, self.model.classes, cells))
            distances.append(reg.reshape(1, 4, cells))
        score = torch.cat(scores, 2).permute(0, 2, 1)
        distance = torch.cat(distances, 2).permute(0, 2, 1)
        left_top, right_bottom = torch.split(distance, (2, 2), 2)
        low, high = self.anchors - left_top, self.anchors + right_bottom
        box = torch.cat([(low + high) / 2, high - low], 2) * self.strides
        return torch.cat([box, self.objectness, score], 2)


def load(checkpoint):
    """The averaged network of a checkpoint, ready to predict."""
    state = torch.load(checkpoint, map_location="cpu")
    model = Detector(state["blocks"], state["width"], len(state["classes"]))
    model.load_state_dict(state["average"])
    return model.eval()


def export(model, file, width, height, provenance):
    """Writes the ONNX file and, beside it, the JSON that describes it."""
    # Any other mode than PRESERVE folds BatchNorms on the way.
    torch.onnx.export(
        Decoded(model, width, height).eval(),
        torch.zeros(1, 3, height, width),
        str(file),
        opset_version=OPSET,
        input_names=["images"],
        output_names=["outputs"],
        training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=True,
    )
    spec = {
        "name": file.stem,
        "input_width": width,
        "input_height": height,
        "border": BORDER,
        "layout": "anchors-obj",
        "suppress": True,
        "precision": "fp32",
        "labels": list(CLASSES),
        "licence": "Apache-2.0",
        "provenance": provenance,
    }
    file.with_suffix(".json").write_text(json.dumps(spec, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("checkpoint", type=pathlib.Path)
    add("onnx", type=pathlib.Path)
    add("--width", type=int, default=SERVED_WIDTH)
    add("--height", type=int, default=SERVED_HEIGHT)
    add("--provenance", default="trained by models/training on simulated scenes")
    options = parser.parse_args()
    export(
        load(options.checkpoint),
        options.onnx,
        options.width,
        options.height,
        options.provenance,
    )


if __name__ == "__main__":
    main()
