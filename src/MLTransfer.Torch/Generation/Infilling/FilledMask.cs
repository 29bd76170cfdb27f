namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>A mask and what it was filled with.</summary>
/// <param name="Position">Where it is in <see cref="InfilledText.TokenIds"/>.</param>
/// <param name="Chosen">The token that it was filled with.</param>
/// <param name="Candidates">
/// The most probable tokens in the pass that filled it, best first, as many as <see cref="InfillingOptions.CandidateCount"/>.
/// </param>
public sealed record FilledMask(int Position, MaskCandidate Chosen, IReadOnlyList<MaskCandidate> Candidates);
