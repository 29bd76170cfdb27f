namespace MLTransfer.Torch.Metrics;

/// <summary>Tokens that stand in a training text as they were generated.</summary>
/// <param name="Generated">The number of the generated text, from 0.</param>
/// <param name="Start">Where the span begins in it, from 0.</param>
/// <param name="Length">How many tokens it has.</param>
/// <param name="Training">The number of the training text, from 0; the first one found where several hold it.</param>
/// <param name="Position">Where the span begins in it, from 0.</param>
public sealed record CopiedTokenSpan(int Generated, int Start, int Length, int Training, int Position);
