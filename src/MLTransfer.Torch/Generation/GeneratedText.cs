namespace MLTransfer.Torch.Generation;

/// <summary>The text that continues a prompt.</summary>
/// <param name="Text">The continuation alone, without special tokens, cut before the stop string where there is one.</param>
/// <param name="TokenIds">The new token ids, those of an end-of-sequence token or a stop string included.</param>
/// <param name="LogProbabilities">The natural logarithm of each new token's probability; see <see cref="GeneratedTokens"/>.</param>
/// <param name="FinishReason">Why the text ended.</param>
/// <param name="SequenceScore">The score that beam search ranks by; null without beam search.</param>
public sealed record GeneratedText(
    string Text, IReadOnlyList<int> TokenIds, IReadOnlyList<float> LogProbabilities, FinishReason FinishReason, float? SequenceScore);
