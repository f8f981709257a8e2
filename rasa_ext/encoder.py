"""The sentence encoder: MiniLM fine-tuned on the training messages (see encoder/README.md), int8, run by ONNX Runtime on one thread."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

_FOLDER = Path(__file__).resolve().parents[1] / "encoder"
_LONGEST = 128


_TEXTS_AT_ONCE = 64


class Sense(NamedTuple):
    """What the encoder makes of a text: its unit vector, and for each sign the probability that the text says it is there."""

    vector: npt.NDArray[np.float32]
    signs: Mapping[str, float]


class Encoder:
    """Turns texts into unit vectors whose directions tell meanings apart, and hears signs in them."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(_FOLDER / "encoder.onnx"), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(_FOLDER / "tokenizer.json"))
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.no_padding()
        self._signs = self._session.get_modelmeta().custom_metadata_map["signs"].split()
        self.sense = lru_cache(maxsize=_TEXTS_AT_ONCE)(self._sense)

    def encode(self, text: str) -> npt.NDArray[np.float32]:
        """The unit vector of one text; of a text longer than 128 word pieces, of its beginning."""
        return self.sense(text).vector

    def _sense(self, text: str) -> Sense:
        """What it makes of one text, or of its beginning; the last texts are remembered."""
        encoding = self._tokenizer.encode(text)
        inputs = {
            "input_ids": np.array([encoding.ids], dtype=np.int64),
            "attention_mask": np.array([encoding.attention_mask], dtype=np.int64),
        }
        hidden, odds = self._session.run(["hidden", "signs"], inputs)
        mean = hidden[0].mean(axis=0)
        vector: npt.NDArray[np.float32] = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        shares = 1 / (1 + np.exp(-odds[0].astype(np.float64)))
        return Sense(vector, {sign: round(float(share), 4) for sign, share in zip(self._signs, shares, strict=True)})


@lru_cache(maxsize=1)
def encoder() -> Encoder:
    """The process's one encoder, loaded at the first call."""
    return Encoder()


def fingerprint() -> str:
    """A hash of the encoder's files, for Rasa's training cache."""
    digest = hashlib.sha256()
    for name in ("encoder.onnx", "tokenizer.json"):
        digest.update((_FOLDER / name).read_bytes())
    return digest.hexdigest()
