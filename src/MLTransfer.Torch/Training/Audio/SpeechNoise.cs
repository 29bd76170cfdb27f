using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>What a pass draws at random.</summary>
/// <param name="Posterior">Standard normal: [N, latent width, frames].</param>
/// <param name="Durations">Standard normal: [N, 2, tokens].</param>
/// <param name="Segments">From 0 to less than 1: where the piece of each row is that is decoded.</param>
internal sealed record SpeechNoise(Tensor Posterior, Tensor Durations, IReadOnlyList<double> Segments)
{
    /// <summary>Numbers that depend on nothing but a seed for each row, whatever rows are beside it.</summary>
    public static SpeechNoise Draw(VitsModel model, SpeechBatch batch, IReadOnlyList<long> seeds)
    {
        var posterior = zeros_like(batch.FrameMask).expand(batch.Count, model.Sizes.LatentWidth, -1).contiguous();
        var durations = zeros_like(batch.TextMask).expand(batch.Count, VitsConfiguration.DurationChannels, -1).contiguous();
        var segments = new double[batch.Count];
        for (var row = 0; row < batch.Count; row++)
        {
            using var scope = NewDisposeScope();
            using var draws = new RandomDraws(seeds[row], 0);
            posterior[row].narrow(1, 0, batch.FrameCounts[row]).copy_(
                draws.Normal([model.Sizes.LatentWidth, batch.FrameCounts[row]], batch.Ids.device));
            durations[row].narrow(1, 0, batch.TokenCounts[row]).copy_(
                draws.Normal([VitsConfiguration.DurationChannels, batch.TokenCounts[row]], batch.Ids.device));
            segments[row] = new SplitMix64(SplitMix64.Mix((ulong)seeds[row], 1)).NextDouble();
        }

        return new SpeechNoise(posterior, durations, segments);
    }
}
