namespace MLTransfer.Torch.Generation;

/// <summary>The encoder that reads prompts, beside a decoder that writes what is asked for.</summary>
/// <param name="VocabularySize">The number of token ids that it reads.</param>
/// <param name="ContextLength">The most tokens of a prompt.</param>
/// <param name="DecoderStartId">The token that the decoder begins with.</param>
internal sealed record PromptEncoder(int VocabularySize, int ContextLength, int DecoderStartId)
{
    /// <summary>A prompt of at most so many tokens: one that is longer loses its end, but for the token that ends it, as where a tokenizer
    /// cuts.</summary>
    public static int[] Cut(int[] prompt, int length, ReadOnlySpan<int> endOfSequenceIds) =>
        prompt.Length <= length ? prompt
        : endOfSequenceIds.Contains(prompt[^1]) ? [.. prompt[..(length - 1)], prompt[^1]]
        : prompt[..length];
}
