namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>What a mask is filled with.</summary>
/// <param name="Token">The chosen token.</param>
/// <param name="LogProbability">Its log-probability over the whole vocabulary.</param>
/// <param name="Best">The most probable tokens that a mask may be filled with, best first; at least one.</param>
internal sealed record MaskChoice(int Token, double LogProbability, (int Token, double LogProbability)[] Best);
