namespace MLTransfer.Torch.Metrics;

/// <summary>How far decoded sounds are from those that were encoded.</summary>
/// <param name="SignalToNoiseRatio">
/// The scale-invariant signal-to-noise ratio in decibels (arXiv 1809.07454): the mean over channels of sounds. Infinite where sounds are
/// equal, minus infinite where a decoded one is silent and the real one is not; null where all real ones are.
/// </param>
/// <param name="MelDistance">
/// The mean over bands and frames of the absolute difference of log-mel spectrograms, in nats: ln max(1e-5, F sqrt(|X|^2 + 1e-6)). The mean
/// over channels of sounds.
/// </param>
/// <param name="SilentChannelCount">Channels of real sounds that are silent, which have no signal-to-noise ratio.</param>
public sealed record ReconstructionDistances(double? SignalToNoiseRatio, double MelDistance, int SilentChannelCount);
