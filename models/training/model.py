# SPDX-License-Identifier: Apache-2.0
"""YOLOv6 2.0 N as a PyTorch module: EfficientRep backbone, Rep-PAN neck, decoupled head.

Layers and their names follow the toolchain's `model synth`, so that what is exported here has the
structure that `model fuse` knows (https://arxiv.org/abs/2209.02976, section 2.1).
"""

import math

import torch
from torch import nn
from torch.nn import functional

CLASSES = ("person", "bicycle", "car", "motorcycle", "bus", "truck")
BLOCKS = ("qarepvgg", "repvgg", "plain")

# Backbone: stem and four stages; neck: Rep_p4, Rep_p3, down to n3, Rep_n3, down to n4, Rep_n4.
_CHANNELS = (64, 128, 256, 512, 1024, 256, 128, 128, 256, 256, 512)
_REPEATS = (1, 6, 12, 18, 6, 12, 12, 12, 12)
_DEPTH = 0.33

_EPSILON = 1e-3
_MOMENTUM = 0.03


def _norm(channels):
    return nn.BatchNorm2d(channels, eps=_EPSILON, momentum=_MOMENTUM)


class ConvNorm(nn.Module):
    """Convolution without bias, BatchNorm, activation."""

    def __init__(self, cin, cout, kernel, stride=1, activation=functional.relu):
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False)
        self.bn = _norm(cout)
        self.activation = activation

    def forward(self, x):
        return self.activation(self.bn(self.conv(x)))


class RepVgg(nn.Module):
    """ReLU of BN(3x3) + BN(1x1) + BN(identity), the last where nothing changes size.

    https://arxiv.org/abs/2101.03697, section 3.3.
    """

    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.dense = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.dense_bn = _norm(cout)
        self.pointwise = nn.Conv2d(cin, cout, 1, stride, bias=False)
        self.pointwise_bn = _norm(cout)
        self.identity_bn = _norm(cout) if cin == cout and stride == 1 else None

    def forward(self, x):
        y = self.dense_bn(self.dense(x)) + self.pointwise_bn(self.pointwise(x))
        if self.identity_bn is not None:
            y = y + self.identity_bn(x)
        return functional.relu(y)

    def fused(self):
        """Kernel and bias of the one convolution that this is at inference."""
        kernel, bias = folded(self.dense.weight, self.dense_bn)
        pointwise, more = folded(self.pointwise.weight, self.pointwise_bn)
        kernel = kernel + functional.pad(pointwise, [1, 1, 1, 1])
        bias = bias + more
        if self.identity_bn is not None:
            identity, more = folded(_identity(kernel), self.identity_bn)
            kernel, bias = kernel + functional.pad(identity, [1, 1, 1, 1]), bias + more
        return kernel, bias


class QaRepVgg(nn.Module):
    """ReLU of BN(BN(3x3) + 1x1 + identity): a form whose fused weights quantise well.

    https://arxiv.org/abs/2212.01593, section 4.
    """

    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.dense = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.dense_bn = _norm(cout)
        self.pointwise = nn.Conv2d(cin, cout, 1, stride, bias=False)
        self.identity = cin == cout and stride == 1
        self.bn = _norm(cout)

    def forward(self, x):
        y = self.dense_bn(self.dense(x))
        if self.identity and self.training:
            # The same sum with one pass over the maps less.
            weight = self.pointwise.weight
            y = y + functional.conv2d(x, weight + _identity(weight))
        else:
            y = y + self.pointwise(x)
            if self.identity:
                y = y + x
        return functional.relu(self.bn(y))

    def fused(self):
        """Kernel and bias of the one convolution that this is at inference."""
        kernel, bias = folded(self.dense.weight, self.dense_bn)
        pointwise = self.pointwise.weight
        if self.identity:
            pointwise = pointwise + _identity(pointwise)
        kernel = kernel + functional.pad(pointwise, [1, 1, 1, 1])
        scale = self.bn.weight / torch.sqrt(self.bn.running_var + self.bn.eps)
        shift = self.bn.bias - self.bn.running_mean * scale
        return kernel * scale.reshape(-1, 1, 1, 1), bias * scale + shift


def folded(weight, norm):
    """A convolution's weight and the BatchNorm behind it as kernel and bias."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return weight * scale.reshape(-1, 1, 1, 1), norm.bias - norm.running_mean * scale


def _identity(weight):
    channels = weight.shape[0]
    eye = torch.eye(channels, dtype=weight.dtype, device=weight.device)
    return eye.reshape(channels, channels, 1, 1)


def _block(form, cin, cout, stride=1):
    if form == "plain":
        return ConvNorm(cin, cout, 3, stride)
    return {"repvgg": RepVgg, "qarepvgg": QaRepVgg}[form](cin, cout, stride)


class Doubled(nn.ConvTranspose2d):
    """2x2 transposed convolution of stride 2; in training as a 1x1 one, whose backward is faster."""

    def __init__(self, channels):
        super().__init__(channels, channels, 2, 2)

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        weight = self.weight.permute(1, 2, 3, 0).reshape(-1, self.in_channels, 1, 1)
        maps = functional.conv2d(x, weight, self.bias.repeat_interleave(4))
        return functional.pixel_shuffle(maps, 2)


class PyramidPooling(nn.Module):
    """The maps beside their maxima over 5, 9 and 13 pixels."""

    def __init__(self, channels):
        super().__init__()
        self.cv1 = ConvNorm(channels, channels // 2, 1)
        self.cv2 = ConvNorm(channels * 2, channels, 1)

    def forward(self, x):
        maps = [self.cv1(x)]
        for _ in range(3):
            maps.append(functional.max_pool2d(maps[-1], 5, 1, 2))
        return self.cv2(torch.cat(maps, 1))


class Head(nn.Module):
    """Class logits and distances to left, top, right, bottom in strides, of one level."""

    def __init__(self, channels, classes):
        super().__init__()
        silu = functional.silu
        self.stem = ConvNorm(channels, channels, 1, activation=silu)
        self.cls_conv = ConvNorm(channels, channels, 3, activation=silu)
        self.reg_conv = ConvNorm(channels, channels, 3, activation=silu)
        self.cls_pred = nn.Conv2d(channels, classes, 1)
        self.reg_pred = nn.Conv2d(channels, 4, 1)
        # At the start every class is as good as absent, every box two strides wide.
        nn.init.normal_(self.cls_pred.weight, std=0.01)
        nn.init.constant_(self.cls_pred.bias, -math.log((1 - 0.01) / 0.01))
        nn.init.zeros_(self.reg_pred.weight)
        nn.init.ones_(self.reg_pred.bias)

    def forward(self, x):
        x = self.stem(x)
        return self.cls_pred(self.cls_conv(x)), self.reg_pred(self.reg_conv(x))


class Detector(nn.Module):
    """From [B, 3, H, W] (RGB, 0..1, sides multiples of 32) to three levels of raw predictions."""

    def __init__(self, blocks="qarepvgg", width=0.25, classes=len(CLASSES)):
        super().__init__()
        self.blocks, self.width, self.classes = blocks, width, classes
        ch = [math.ceil(c * width / 8) * 8 for c in _CHANNELS]
        repeats = [max(1, round(r * _DEPTH)) for r in _REPEATS]

        def stack(cin, cout, count):
            parts = [_block(blocks, cin if i == 0 else cout, cout) for i in range(count)]
            return nn.Sequential(*parts)

        def stage(i):
            return nn.Sequential(
                _block(blocks, ch[i - 1], ch[i], 2), *stack(ch[i], ch[i], repeats[i])
            )

        self.stem = _block(blocks, 3, ch[0], 2)
        self.er2, self.er3, self.er4 = stage(1), stage(2), stage(3)
        self.er5 = nn.Sequential(stage(4), PyramidPooling(ch[4]))
        self.reduce0 = ConvNorm(ch[4], ch[5], 1)
        self.up0 = Doubled(ch[5])
        self.rep_p4 = stack(ch[3] + ch[5], ch[5], repeats[5])
        self.reduce1 = ConvNorm(ch[5], ch[6], 1)
        self.up1 = Doubled(ch[6])
        self.rep_p3 = stack(ch[2] + ch[6], ch[6], repeats[6])
        self.downsample2 = ConvNorm(ch[6], ch[7], 3, 2)
        self.rep_n3 = stack(ch[6] + ch[7], ch[8], repeats[7])
        self.downsample1 = ConvNorm(ch[8], ch[9], 3, 2)
        self.rep_n4 = stack(ch[5] + ch[9], ch[10], repeats[8])
        self.heads = nn.ModuleList(Head(c, classes) for c in (ch[6], ch[8], ch[10]))

    def levels(self, images):
        """Per level the class logits [B, C, h, w] and distances [B, 4, h, w]."""
        p3 = self.er3(self.er2(self.stem(images)))
        p4 = self.er4(p3)
        reduced0 = self.reduce0(self.er5(p4))
        middle = self.rep_p4(torch.cat([self.up0(reduced0), p4], 1))
        reduced1 = self.reduce1(middle)
        fine = self.rep_p3(torch.cat([self.up1(reduced1), p3], 1))
        medium = self.rep_n3(torch.cat([self.downsample2(fine), reduced1], 1))
        coarse = self.rep_n4(torch.cat([self.downsample1(medium), reduced0], 1))
        return [head(maps) for head, maps in zip(self.heads, (fine, medium, coarse))]

    def forward(self, images):
        """Class logits [B, A, C] and distances [B, A, 4] in strides, float32."""
        levels = self.levels(images)
        logits = torch.cat([cls.flatten(2) for cls, _ in levels], 2)
        distances = torch.cat([reg.flatten(2) for _, reg in levels], 2)
        return logits.transpose(1, 2).float(), distances.transpose(1, 2).float()
