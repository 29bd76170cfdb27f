using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>
/// A pass of a VITS through pairs of texts and sounds (arXiv 2106.06103, section 2): the posterior's latent variables, the alignment that
/// makes them likeliest under the text's prior, and a piece of each sound decoded. Losses are sums over rows, to be divided by counts of
/// the whole step. Its tensors belong to the dispose scope that it is made in.
/// </summary>
internal sealed record SpeechPass
{
    /// <summary>The text encoder's: [N, width, tokens].</summary>
    public required Tensor Hidden { get; init; }

    /// <summary>[N, latent width, tokens].</summary>
    public required Tensor PriorMeans { get; init; }

    /// <summary>[N, latent width, tokens].</summary>
    public required Tensor PriorLogDeviations { get; init; }

    /// <summary>[N, latent width, frames].</summary>
    public required Tensor PosteriorMeans { get; init; }

    /// <summary>[N, latent width, frames].</summary>
    public required Tensor PosteriorLogDeviations { get; init; }

    /// <summary>z: [N, latent width, frames].</summary>
    public required Tensor Latents { get; init; }

    /// <summary>The flow of z: [N, latent width, frames].</summary>
    public required Tensor PriorLatents { get; init; }

    /// <summary>The log-likelihood of each frame under each token's prior: [N, frames, tokens].</summary>
    public required Tensor LogLikelihoods { get; init; }

    /// <summary>The token of each frame, -1 behind a row's end: [N, frames] int64.</summary>
    public required Tensor Alignment { get; init; }

    /// <summary>The frames of each token: [N, 1, tokens].</summary>
    public required Tensor Durations { get; init; }

    /// <summary>By row: [N].</summary>
    public required Tensor DurationLosses { get; init; }

    /// <summary>The divergence of the posterior from the prior, summed over rows.</summary>
    public required Tensor Divergence { get; init; }

    /// <summary>The first frame of each row's piece.</summary>
    public required IReadOnlyList<int> SegmentStarts { get; init; }

    /// <summary>The decoded pieces: [N, 1, samples].</summary>
    public required Tensor Made { get; init; }

    /// <summary>The pieces of the real sounds: [N, 1, samples].</summary>
    public required Tensor Real { get; init; }

    /// <summary>Their mel spectrograms, cut from those of the whole sounds: [N, bands, frames].</summary>
    public required Tensor MelTarget { get; init; }

    /// <summary>Runs a pass.</summary>
    /// <param name="model">The network.</param>
    /// <param name="batch">The rows.</param>
    /// <param name="noise">What is drawn.</param>
    /// <param name="spectra">Of the network.</param>
    /// <param name="segmentFrames">Frames of a piece; null for the batch whole.</param>
    public static SpeechPass Run(VitsModel model, SpeechBatch batch, SpeechNoise noise, SpeechSpectra spectra, int? segmentFrames)
    {
        using var scope = NewDisposeScope();
        var speaker = model.Speakers(batch.Speakers);
        var (textMask, frameMask) = (batch.TextMask, batch.FrameMask);
        var (hidden, means, logDeviations) = model.TextEncoder.Forward(batch.Ids, textMask);
        var (posteriorMeans, posteriorLogDeviations) = model.PosteriorEncoder.Forward(batch.Spectrograms, frameMask, speaker);
        var latents = (posteriorMeans + noise.Posterior * posteriorLogDeviations.exp()) * frameMask;
        var priorLatents = model.Flow.Forward(latents, frameMask, speaker);

        Tensor logLikelihoods, alignment, durations;
        using (no_grad())
        {
            logLikelihoods = LogLikelihoodsOf(priorLatents, means, logDeviations);
            alignment = Align(logLikelihoods, batch);
            durations = DurationsOf(alignment, batch);
        }

        var durationLosses = model.StochasticDurations is { } stochastic
            ? stochastic.NegativeLogLikelihood(hidden, textMask, speaker, durations, noise.Durations)
            : ((model.Durations!.Forward(hidden, textMask, speaker) - (durations + 1e-6).log() * textMask).square()).sum([1, 2]);

        var index = alignment.clamp_min(0).unsqueeze(1).expand(latents.shape);
        var (expandedMeans, expandedLogDeviations) = (means.gather(2, index), logDeviations.gather(2, index));
        var divergence = (expandedLogDeviations - posteriorLogDeviations - 0.5
            + 0.5 * (priorLatents - expandedMeans).square() * (-2 * expandedLogDeviations).exp()) * frameMask;

        var length = segmentFrames ?? (int)frameMask.shape[2];
        int[] starts = segmentFrames is null
            ? new int[batch.Count]
            : [.. noise.Segments.Select((share, row) => (int)Math.Floor(share * Math.Max(1, batch.FrameCounts[row] - length + 1)))];
        var made = model.Decoder.Forward(Cut(latents, starts, length), speaker);
        var samples = length * spectra.Hop;
        var real = Cut(batch.Waveforms.unsqueeze(1), [.. starts.Select(start => start * spectra.Hop)], samples);
        return new SpeechPass
        {
            Hidden = hidden.MoveToOuterDisposeScope(),
            PriorMeans = means.MoveToOuterDisposeScope(),
            PriorLogDeviations = logDeviations.MoveToOuterDisposeScope(),
            PosteriorMeans = posteriorMeans.MoveToOuterDisposeScope(),
            PosteriorLogDeviations = posteriorLogDeviations.MoveToOuterDisposeScope(),
            Latents = latents.MoveToOuterDisposeScope(),
            PriorLatents = priorLatents.MoveToOuterDisposeScope(),
            LogLikelihoods = logLikelihoods.MoveToOuterDisposeScope(),
            Alignment = alignment.MoveToOuterDisposeScope(),
            Durations = durations.MoveToOuterDisposeScope(),
            DurationLosses = durationLosses.MoveToOuterDisposeScope(),
            Divergence = divergence.sum().MoveToOuterDisposeScope(),
            SegmentStarts = starts,
            Made = made.MoveToOuterDisposeScope(),
            Real = real.MoveToOuterDisposeScope(),
            MelTarget = spectra.LogMel(Cut(batch.Spectrograms, starts, length)).MoveToOuterDisposeScope(),
        };
    }

    /// <summary>Gives the tensors that losses are made of to another dispose scope.</summary>
    public SpeechPass MoveToScope(TorchSharp.DisposeScope scope)
    {
        foreach (var tensor in (Tensor[])[DurationLosses, Divergence, Made, Real, MelTarget])
            tensor.MoveToOtherDisposeScope(scope);
        return this;
    }

    /// <summary>[N, latent width, frames] and twice [N, latent width, tokens] to [N, frames, tokens].</summary>
    private static Tensor LogLikelihoodsOf(Tensor latents, Tensor means, Tensor logDeviations)
    {
        var precisions = (-2 * logDeviations).exp();
        var constants = (-0.5 * Math.Log(2 * Math.PI) - logDeviations - 0.5 * means.square() * precisions).sum(1, keepdim: true);
        var x = latents.transpose(1, 2);
        return constants - 0.5 * x.square().matmul(precisions) + x.matmul(means * precisions);
    }

    private static Tensor Align(Tensor logLikelihoods, SpeechBatch batch)
    {
        using var scores = logLikelihoods.cpu().contiguous();
        var (frames, tokens) = ((int)scores.shape[1], (int)scores.shape[2]);
        var alignment = new long[batch.Count, frames];
        for (var row = 0; row < batch.Count; row++)
        {
            var path = new int[batch.FrameCounts[row]];
            var rowScores = NativeTensor.AsSpan<float>(scores).Slice(row * frames * tokens, path.Length * tokens);
            MonotonicAlignment.Find(rowScores, tokens, batch.TokenCounts[row], path);
            for (var frame = 0; frame < frames; frame++)
                alignment[row, frame] = frame < path.Length ? path[frame] : -1;
        }

        return tensor(alignment, device: logLikelihoods.device);
    }

    private static Tensor DurationsOf(Tensor alignment, SpeechBatch batch)
    {
        var durations = zeros_like(batch.TextMask.squeeze(1));
        var isFrame = alignment.ge(0).to(durations.dtype);
        return durations.scatter_add(1, alignment.clamp_min(0), isFrame).unsqueeze(1);
    }

    /// <summary>Pieces along the last dimension.</summary>
    private static Tensor Cut(Tensor rows, IReadOnlyList<int> starts, int length) =>
        cat([.. starts.Select((start, row) => rows.narrow(0, row, 1).narrow(2, start, length))], 0);
}
