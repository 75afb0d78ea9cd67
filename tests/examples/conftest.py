"""Tiny models of transformers with random weights, as folders."""

import pytest
import torch

SENTENCES = [
    "user : does the picture show a humanoid robot kneeling ? answer yes or no .",
    "Does Answer Yes No a cat <image> assistant",
]
SIZES = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
VISION = {**SIZES, "image_size": 16, "patch_size": 8}


def tokenizer():
    """A tokenizer whose tokens are the words of `SENTENCES`."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<unk>", "</s>"]
    words = dict.fromkeys([*special, *" ".join(SENTENCES).split()])
    vocabulary = {word: number for number, word in enumerate(words)}
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="<pad>", unk_token="<unk>", eos_token="</s>",
        additional_special_tokens=["<image>"],
    )  # fmt: skip


def image_processor():
    from transformers import CLIPImageProcessor

    square = {"height": 16, "width": 16}
    return CLIPImageProcessor(size=square, crop_size=square)


@pytest.fixture(scope="session")
def generative_model(tmp_path_factory):
    """A LLaVA."""
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    words = tokenizer()
    template = (
        "{% for m in messages %}user : {% for c in m['content'] %}"
        "{% if c['type'] == 'image' %} <image> {% else %}{{ c['text'] }}{% endif %}"
        "{% endfor %}{% endfor %} assistant"
    )
    processor = LlavaProcessor(
        image_processor(), words, patch_size=8, vision_feature_select_strategy="default",
        chat_template=template, num_additional_image_tokens=1,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**VISION),
        text_config=LlamaConfig(**SIZES, vocab_size=len(words), pad_token_id=0, eos_token_id=2),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    return save(LlavaForConditionalGeneration, config, processor, tmp_path_factory.mktemp("llava"))


@pytest.fixture(scope="session")
def video_model(tmp_path_factory):
    """An X-CLIP of four frames."""
    from transformers import (
        XCLIPConfig,
        XCLIPModel,
        XCLIPProcessor,
        XCLIPTextConfig,
        XCLIPVisionConfig,
    )

    words = tokenizer()
    config = XCLIPConfig(
        text_config=XCLIPTextConfig(
            **SIZES, vocab_size=len(words), eos_token_id=2, pad_token_id=0
        ).to_dict(),
        vision_config=XCLIPVisionConfig(
            **VISION, mit_hidden_size=16, mit_intermediate_size=32, mit_num_attention_heads=2,
            num_frames=4,
        ).to_dict(),
        projection_dim=16,
        prompt_num_attention_heads=2,
    )  # fmt: skip
    processor = XCLIPProcessor(image_processor(), words)
    return save(XCLIPModel, config, processor, tmp_path_factory.mktemp("xclip"))


def save(kind, config, processor, folder):
    torch.manual_seed(0)
    model = kind(config)
    for parameter in model.parameters():  # random, but far enough from 0 to tell pictures apart
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
