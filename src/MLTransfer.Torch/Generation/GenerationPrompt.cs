namespace MLTransfer.Torch.Generation;

/// <summary>What a generation begins with.</summary>
/// <param name="Start">The decoder's first tokens, not empty: the prompt, or the decoder's start token where an encoder reads the
/// prompt.</param>
/// <param name="EncoderIds">What the encoder reads; null where there is none.</param>
internal sealed record GenerationPrompt(IReadOnlyList<int> Start, IReadOnlyList<int>? EncoderIds = null)
{
    /// <summary>The prompt's tokens, whoever reads them.</summary>
    public IReadOnlyList<int> Tokens => EncoderIds ?? Start;
}
