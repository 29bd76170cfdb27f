namespace MLTransfer.Torch.Sounds;

/// <summary>How far two sounds are apart by their cepstra, in decibels.</summary>
/// <param name="Aligned">The mean along the path.</param>
/// <param name="Unaligned">The mean over the frames that both have, each with the one at its time.</param>
/// <param name="Path">
/// The frames that belong together, in order: the pairs of steps (1,1), (0,1) or (1,0) with the smallest sum of distances.
/// </param>
public sealed record CepstralDistortion(double Aligned, double Unaligned, IReadOnlyList<(int First, int Second)> Path);
