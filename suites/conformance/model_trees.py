"""Models as they really lie in buckets, one for each common family: what is metadata, and what is heavy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Names of the files that a pull has to bring, and of those that it has to leave."""

    name: str
    metadata: tuple[str, ...]
    heavy: tuple[str, ...]

    def content(self) -> dict[str, bytes]:
        """Every file that has to come; its content tells its own name, so that a mix-up shows."""
        return {name: f"{self.name}/{name}\n".encode() * 9 for name in self.metadata}


FAMILIES = (
    Family(
        "sharded language model",
        (".gitattributes", "LICENSE", "README.md", "USE_POLICY.md", "config.json", "generation_config.json")
        + ("model.safetensors.index.json", "special_tokens_map.json", "tokenizer.json", "tokenizer.model")
        + (
            "tokenizer_config.json",
            "chat_template.jinja",
            "original/params.json",
            "original/tokenizer.model",
        ),
        tuple(f"model-{number:05d}-of-00004.safetensors" for number in (1, 2, 3, 4))
        + ("original/consolidated.00.pth",),
    ),
    Family(
        "sentence transformer",
        ("1_Pooling/config.json", "2_Dense/config.json", "config_sentence_transformers.json", "config.json")
        + ("modules.json", "sentence_bert_config.json", "vocab.txt", "tokenizer_config.json", "README.md")
        + ("data_config.json", "train_script.py", "onnx/config.json"),
        (
            "model.safetensors",
            "pytorch_model.bin",
            "tf_model.h5",
            "rust_model.ot",
            "2_Dense/model.safetensors",
        )
        + ("onnx/model.onnx", "onnx/model_quantized.onnx", "openvino/openvino_model.bin"),
    ),
    Family(
        "multimodal model with code of its own",
        ("config.json", "configuration_made_up.py", "modeling_made_up.py", "processing_made_up.py")
        + (
            "preprocessor_config.json",
            "processor_config.json",
            "video_preprocessor_config.json",
            "merges.txt",
        )
        + ("vocab.json", "added_tokens.json", "chat_template.json", "assets/demo.jpeg", "assets/demo.wav")
        + ("model.safetensors.index.json", "tiktoken.model", "figures/Größe 1.svg"),
        ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"),
    ),
    Family(
        "adapter",
        ("adapter_config.json", "README.md", "tokenizer.json", "trainer_state.json", "Modelfile")
        + ("checkpoint-500/adapter_config.json", "checkpoint-500/trainer_state.json"),
        ("adapter_model.safetensors", "adapter_model.bin", "training_args.bin", "checkpoint-500/optimizer.pt")
        + ("checkpoint-500/scheduler.pt", "checkpoint-500/rng_state.pth", "checkpoint-500/adapter_model.bin"),
    ),
    Family(
        "older model in several formats",
        ("config.json", "pytorch_model.bin.index.json", "flax_model.msgpack.index.json", "spiece.model")
        + ("tf_model.h5.index.json", "generation_config_for_summarization.json", "sentencepiece.bpe.model"),
        ("pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "model.fp16.safetensors")
        + ("model.safetensors",),
    ),
)

#: what other frameworks and tools keep beside a model
OTHER_WEIGHTS = (
    ("tf_model.h5", "flax_model.msgpack", "flax_model-00001-of-00002.msgpack", "rust_model.ot", "model.ckpt")
    + ("64.tflite", "saved_model/saved_model.pb", "coreml/weights.npz", "weights.npy", "model.keras")
    + ("model-Q4_K_M.gguf", "model-00001-of-00002.GGUF", "ggml-model.ggml", "model.onnx", "model.onnx_data")
    + ("onnx/decoder_model_merged.onnx", "model.llamafile", "rank0.engine", "model.nemo", "weights.pkl")
)
