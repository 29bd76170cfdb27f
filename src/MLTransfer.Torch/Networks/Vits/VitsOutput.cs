using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>What a VITS makes of a batch. Its tensors are the caller's to dispose, by <see cref="Dispose"/> or by a dispose
/// scope.</summary>
public sealed record VitsOutput : IDisposable
{
    /// <summary>Samples from -1 to 1: [N, samples]; behind a row's <see cref="SampleCounts"/> is what nobody is meant to hear.</summary>
    public required Tensor Waveforms { get; init; }

    /// <summary>The samples of each row (<c>sequence_lengths</c>): [N] int64.</summary>
    public required Tensor SampleCounts { get; init; }

    /// <summary>Logarithms of the frames that a character lasts: [N, 1, T].</summary>
    public required Tensor LogDurations { get; init; }

    /// <summary>The frames that a character lasts, by the speaking rate: [N, T].</summary>
    public required Tensor Durations { get; init; }

    /// <summary>The latent variables that the decoder reads (transformers calls them <c>spectrogram</c>): [N, latent width,
    /// frames].</summary>
    public required Tensor Latents { get; init; }

    /// <summary>The text encoder's: [N, T, width].</summary>
    public required Tensor HiddenStates { get; init; }

    /// <summary>Of the prior: [N, T, latent width].</summary>
    public required Tensor PriorMeans { get; init; }

    /// <summary>Logarithms of the prior's deviations (transformers calls them <c>prior_log_variances</c>): [N, T, latent width].</summary>
    public required Tensor PriorLogDeviations { get; init; }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Tensor[] tensors =
            [Waveforms, SampleCounts, LogDurations, Durations, Latents, HiddenStates, PriorMeans, PriorLogDeviations];
        foreach (var tensor in tensors)
            tensor.Dispose();
    }
}
