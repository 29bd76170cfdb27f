namespace MLTransfer.Torch.Generation;

/// <summary>The tokens that continue a prompt.</summary>
/// <param name="TokenIds">The new token ids, without the prompt; the end-of-sequence token is the last where the sequence ended with
/// one.</param>
/// <param name="LogProbabilities">
/// For each new token the natural logarithm of its probability. Greedy search and sampling: in the distribution that it was chosen from,
/// after all penalties and filters (<c>compute_transition_scores(normalize_logits=True)</c>). Beam search: in the model's distribution, to
/// which penalties were then applied without normalizing again, so that their sum divided by
/// length^<see cref="GenerationOptions.LengthPenalty"/> is <paramref name="SequenceScore"/>.
/// </param>
/// <param name="FinishReason">Why the sequence ended.</param>
/// <param name="SequenceScore">The score that beam search ranks by; null without beam search.</param>
public sealed record GeneratedTokens(
    IReadOnlyList<int> TokenIds, IReadOnlyList<float> LogProbabilities, FinishReason FinishReason, float? SequenceScore);
