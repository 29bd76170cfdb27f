namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>A token that a mask could be filled with.</summary>
/// <param name="TokenId">Its id.</param>
/// <param name="Token">The token as the vocabulary writes it, such as <c>##ing</c> or <c>Ġhe</c>.</param>
/// <param name="Text">What it reads as, without the space before it.</param>
/// <param name="LogProbability">The natural logarithm of its probability over the whole vocabulary.</param>
public sealed record MaskCandidate(int TokenId, string Token, string Text, double LogProbability);
