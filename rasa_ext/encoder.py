"""The sentence encoder: MiniLM fine-tuned on the training messages (see encoder/README.md), int8, run by ONNX Runtime on one thread."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

_FOLDER = Path(__file__).resolve().parents[1] / "encoder"
_LONGEST = 128


class Encoder:
    """Turns texts into unit vectors whose directions tell meanings apart."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(_FOLDER / "encoder.onnx"), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(_FOLDER / "tokenizer.json"))
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.no_padding()

    def encode(self, text: str) -> npt.NDArray[np.float32]:
        """The unit vector of one text; of a text longer than 128 word pieces, of its beginning."""
        encoding = self._tokenizer.encode(text)
        inputs = {
            "input_ids": np.array([encoding.ids], dtype=np.int64),
            "attention_mask": np.array([encoding.attention_mask], dtype=np.int64),
        }
        (hidden,) = self._session.run(None, inputs)
        mean = hidden[0].mean(axis=0)
        vector: npt.NDArray[np.float32] = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
        return vector


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
