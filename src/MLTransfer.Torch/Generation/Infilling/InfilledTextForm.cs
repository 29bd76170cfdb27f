namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>How filled tokens become a text.</summary>
public enum InfilledTextForm
{
    /// <summary>The given text with its masks replaced: case, accents and spaces of all else stay as they are.</summary>
    InPlace,

    /// <summary>
    /// What the tokenizer decodes of the tokens, special ones left out, with the spaces that the tokens say (transformers' <c>decode</c>
    /// with <c>clean_up_tokenization_spaces=False</c>). A tokenizer without case gives small letters.
    /// </summary>
    Decoded,
}
