using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Vits;

/// <summary>The way from characters to samples.</summary>
internal static class VitsInference
{
    private const double LongestSeconds = 2 * 60 * 60;

    public static VitsOutput Run(VitsModel network, VitsInput input)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        Check(network, input);
        var sizes = network.Sizes;
        var (ids, device) = (input.InputIds.to(network.Device), network.Device);
        var mask = (input.AttentionMask?.to(device) ?? ones_like(ids)).to(network.DataType).unsqueeze(1); // [N, 1, T]
        var speaker = network.Speakers(input.SpeakerIds?.to(device)); // [N or 1, speaker width, 1]
        using var draws = new RandomDraws(input.Seed, 0);

        var (hidden, means, logDeviations) = network.TextEncoder.Forward(ids, mask);
        var logDurations = LogDurations();
        var durations = (logDurations.exp() * mask * (1 / (input.SpeakingRate ?? sizes.SpeakingRate))).ceil().squeeze(1); // [N, T]
        var (characters, counts) = Frames(durations, network);
        var frames = counts.max().item<long>();
        var frameMask = arange(frames, ScalarType.Int64, device).unsqueeze(0).lt(counts.unsqueeze(1)).to(network.DataType).unsqueeze(1);

        var index = characters.unsqueeze(1).expand(ids.shape[0], sizes.LatentWidth, frames);
        var prior = means.gather(2, index) * frameMask;
        var noiseScale = input.NoiseScale ?? sizes.NoiseScale;
        if (noiseScale != 0)
        {
            var noise = Given(input.PriorNoise, nameof(input.PriorNoise), prior.shape);
            prior += noise * (logDeviations.gather(2, index) * frameMask).exp() * noiseScale;
        }

        var latents = network.Flow.Reverse(prior, frameMask, speaker) * frameMask;
        var waveforms = network.Decoder.Forward(latents, speaker).squeeze(1);
        return new VitsOutput
        {
            Waveforms = waveforms.MoveToOuterDisposeScope(),
            SampleCounts = (counts * network.HopLength).MoveToOuterDisposeScope(),
            LogDurations = logDurations.MoveToOuterDisposeScope(),
            Durations = durations.MoveToOuterDisposeScope(),
            Latents = latents.MoveToOuterDisposeScope(),
            HiddenStates = hidden.transpose(1, 2).MoveToOuterDisposeScope(),
            PriorMeans = means.transpose(1, 2).MoveToOuterDisposeScope(),
            PriorLogDeviations = logDeviations.transpose(1, 2).MoveToOuterDisposeScope(),
        };

        Tensor LogDurations()
        {
            if (network.Durations is { } regression)
                return regression.Forward(hidden, mask, speaker);
            long[] shape = [ids.shape[0], VitsConfiguration.DurationChannels, ids.shape[1]];
            var scale = input.DurationNoiseScale ?? sizes.DurationNoiseScale;
            var noise = scale == 0
                ? zeros(shape, network.DataType, device)
                : Given(input.DurationNoise, nameof(input.DurationNoise), shape) * scale;
            return network.StochasticDurations!.Sample(hidden, mask, speaker, noise);
        }

        Tensor Given(Tensor? noise, string name, long[] shape)
        {
            if (noise is null)
                return draws.Normal(shape, device).to(network.DataType);
            if (!noise.shape.SequenceEqual(shape))
            {
                throw new ArgumentException(
                    $"{name} has shape [{string.Join(", ", noise.shape)}]; expected [{string.Join(", ", shape)}].", nameof(input));
            }

            return noise.to(network.DataType, device);
        }
    }

    /// <summary>The character of each frame, [N, frames], and the frames of each row, at least 1: [N].</summary>
    private static (Tensor Characters, Tensor Counts) Frames(Tensor durations, VitsModel network)
    {
        var limit = LongestSeconds * network.SampleRate / network.HopLength;
        var ends = durations.to(ScalarType.Float64).cumsum(1); // [N, T]
        var longest = ends.select(1, -1).max().item<double>();
        if (!(longest <= limit))
        {
            throw new InvalidOperationException(
                $"The durations of the characters sum up to {longest} frames, where {limit:0} are {LongestSeconds / 3600} hours. Less "
                + "noise, a higher speaking rate or a shorter text makes fewer.");
        }

        var counts = ends.select(1, -1).clamp_min(1).to(ScalarType.Int64);
        var frames = arange(counts.max().item<long>(), ScalarType.Float64, durations.device);
        var characters = frames.view(1, -1, 1).ge(ends.unsqueeze(1)).sum(-1).clamp(0, durations.shape[1] - 1);
        return (characters, counts);
    }

    private static void Check(VitsModel network, VitsInput input)
    {
        if (network.training)
            throw new InvalidOperationException("The network is in training mode. Put it into evaluation mode (eval()) to speak with it.");
        var ids = input.InputIds ?? throw new ArgumentException($"{nameof(input.InputIds)} is null.", nameof(input));
        if (ids.dtype != ScalarType.Int64 || ids.dim() != 2 || ids.numel() == 0)
        {
            throw new ArgumentException(
                $"{nameof(input.InputIds)} is [{string.Join(", ", ids.shape)}] of {ids.dtype}; expected [rows, characters] of Int64, "
                + "neither of them 0.", nameof(input));
        }

        CheckRange(nameof(input.InputIds), ids, network.VocabularySize, "characters");
        if (input.AttentionMask is { } mask && !mask.shape.SequenceEqual(ids.shape))
        {
            throw new ArgumentException(
                $"{nameof(input.AttentionMask)} has shape [{string.Join(", ", mask.shape)}]; {nameof(input.InputIds)} has "
                + $"[{string.Join(", ", ids.shape)}].", nameof(input));
        }

        if (input.SpeakerIds is { } speakers)
        {
            if (speakers.dtype != ScalarType.Int64 || speakers.dim() != 1 || (speakers.shape[0] != 1 && speakers.shape[0] != ids.shape[0]))
            {
                throw new ArgumentException(
                    $"{nameof(input.SpeakerIds)} is [{string.Join(", ", speakers.shape)}] of {speakers.dtype}; expected one Int64 for each "
                    + "row, or one for all.", nameof(input));
            }

            CheckRange(nameof(input.SpeakerIds), speakers, network.SpeakerCount, "speakers");
        }

        if (!(input.SpeakingRate is null or (> 0 and < double.PositiveInfinity)))
            throw new ArgumentException($"{nameof(input.SpeakingRate)} is {input.SpeakingRate}; expected a number above 0.", nameof(input));
        foreach (var (name, scale) in (ReadOnlySpan<(string, double?)>)[
            (nameof(input.NoiseScale), input.NoiseScale), (nameof(input.DurationNoiseScale), input.DurationNoiseScale)])
        {
            if (!(scale is null or (>= 0 and < double.PositiveInfinity)))
                throw new ArgumentException($"{name} is {scale}; expected a number of 0 or more.", nameof(input));
        }
    }

    private static void CheckRange(string name, Tensor ids, int count, string what)
    {
        using var values = ids.cpu().contiguous();
        foreach (var id in NativeTensor.AsSpan<long>(values))
        {
            if ((ulong)id >= (ulong)count)
                throw new ArgumentException($"{name} has {id}; the network knows {count} {what}, from 0.", name);
        }
    }
}
