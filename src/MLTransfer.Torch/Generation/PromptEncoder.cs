namespace MLTransfer.Torch.Generation;

/// <summary>The encoder that reads prompts, beside a decoder that writes what is asked for.</summary>
/// <param name="VocabularySize">The number of token ids that it reads.</param>
/// <param name="ContextLength">The most tokens of a prompt.</param>
/// <param name="DecoderStartId">The token that the decoder begins with.</param>
internal sealed record PromptEncoder(int VocabularySize, int ContextLength, int DecoderStartId);
