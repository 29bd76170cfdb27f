using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>What a VITS speaks, and how. Numbers that are null are those of <c>config.json</c>.</summary>
public sealed record VitsInput
{
    /// <summary>Characters as a tokenizer numbers them: [N, T] int64.</summary>
    public required Tensor InputIds { get; init; }

    /// <summary>1 for characters, 0 for padding behind them: [N, T]; null for no padding.</summary>
    public Tensor? AttentionMask { get; init; }

    /// <summary>The speaker of each row, or of all: [N] or [1] int64; null for none, as of a model of one speaker.</summary>
    public Tensor? SpeakerIds { get; init; }

    /// <summary>Above 1 is faster (<c>speaking_rate</c>).</summary>
    public double? SpeakingRate { get; init; }

    /// <summary>How far latent variables are drawn from their means (<c>noise_scale</c>).</summary>
    public double? NoiseScale { get; init; }

    /// <summary>How far durations are drawn from what is likeliest, where they are stochastic (<c>noise_scale_duration</c>).</summary>
    public double? DurationNoiseScale { get; init; }

    /// <summary>Standard normal numbers for durations, [N, 2, T]; null to draw them.</summary>
    public Tensor? DurationNoise { get; init; }

    /// <summary>Standard normal numbers for latent variables, [N, latent width, frames]; null to draw them.</summary>
    public Tensor? PriorNoise { get; init; }

    /// <summary>Decides on the numbers that are drawn.</summary>
    public long Seed { get; init; }
}
