import open_clip
import pytest
import torch

from vlmrm import VLMReward
from vlmrm.errors import UserError
from vlmrm.models.lengths import check_lengths

TOKENIZER = open_clip.SimpleTokenizer(context_length=12)
FITTING = "a red robot that sits on the green floor now"
"""Ten tokens, besides those of start and end."""


def test_what_fits_is_accepted_to_the_last_token():
    assert (TOKENIZER([FITTING])[0] != 0).all()
    check_lengths(TOKENIZER, [FITTING, "a robot", ""], "m")


@pytest.mark.parametrize(
    ("rest", "unread"),
    [(" with", "with"), (" with both arms raised", "with both arms raised"), (" .", ".")],
)
def test_the_words_that_would_not_be_read_are_named(rest, unread):
    with pytest.raises(UserError, match="than m reads") as error:
        check_lengths(TOKENIZER, ["a robot", FITTING + rest], "m")
    assert f"it would not read '{unread}'" in str(error.value)


def test_a_word_that_is_read_in_part_is_named():
    sentence = FITTING.replace(" now", " electroencephalography")
    with pytest.raises(UserError, match="not read 'electroencephalography'"):
        check_lengths(TOKENIZER, [sentence], "m")


class PadsLeft:
    """As some tokenizers of the Hugging Face hub do."""

    context_length = TOKENIZER.context_length

    def __call__(self, sentences, context_length=None):
        tokens = TOKENIZER(sentences, context_length)
        return torch.stack([torch.cat([row[row == 0], row[row != 0]]) for row in tokens])


def test_padding_may_be_on_the_left():
    check_lengths(PadsLeft(), [FITTING, "a robot", ""], "m")
    with pytest.raises(UserError, match="not read 'with'"):
        check_lengths(PadsLeft(), [FITTING + " with"], "m")


def test_a_reward_refuses_a_sentence_that_it_would_not_read():
    sentence = "a humanoid robot kneeling" + ", with its hands on its hips" * 6
    with pytest.raises(UserError, match=r"longer than sim-XS reads \(40 tokens\)"):
        VLMReward.load("sim-XS", goal=sentence, device="cpu")
