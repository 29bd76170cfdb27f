using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>Rows of a pass, padded to the longest. Its tensors belong to the dispose scope that it is made in.</summary>
internal sealed record SpeechBatch
{
    /// <summary>[N, tokens] int64.</summary>
    public required Tensor Ids { get; init; }

    /// <summary>1 for tokens: [N, 1, tokens].</summary>
    public required Tensor TextMask { get; init; }

    /// <summary>Magnitudes: [N, bins, frames].</summary>
    public required Tensor Spectrograms { get; init; }

    /// <summary>1 for frames: [N, 1, frames].</summary>
    public required Tensor FrameMask { get; init; }

    /// <summary>[N, samples], with silence behind each.</summary>
    public required Tensor Waveforms { get; init; }

    /// <summary>[N] int64; null for none.</summary>
    public required Tensor? Speakers { get; init; }

    /// <summary>Of each row.</summary>
    public required IReadOnlyList<int> TokenCounts { get; init; }

    /// <summary>Of each row.</summary>
    public required IReadOnlyList<int> FrameCounts { get; init; }

    public int Count => FrameCounts.Count;

    /// <summary>A batch of rows.</summary>
    /// <param name="rows">At least one.</param>
    /// <param name="spectra">Of the network.</param>
    /// <param name="fewestFrames">The batch is padded to so many frames.</param>
    /// <param name="device">Where it goes.</param>
    public static SpeechBatch Create(IReadOnlyList<SpeechRow> rows, SpeechSpectra spectra, int fewestFrames, Device device)
    {
        var tokens = rows.Max(row => row.Ids.Length);
        var frames = Math.Max(fewestFrames, rows.Max(row => row.Frames));
        var samples = Math.Max(frames * spectra.Hop, rows.Max(row => row.Samples.Length));
        var ids = new long[rows.Count, tokens];
        var waveforms = zeros([rows.Count, samples], ScalarType.Float32, device);
        Tensor? spectrograms = null;
        foreach (var (number, row) in rows.Index())
        {
            using var scope = NewDisposeScope();
            for (var i = 0; i < row.Ids.Length; i++)
                ids[number, i] = row.Ids[i];
            var sound = tensor(row.Samples, device: device);
            waveforms[number].narrow(0, 0, row.Samples.Length).copy_(sound);
            var magnitudes = spectra.Magnitudes(sound.unsqueeze(0))[0]; // of the row alone: nothing of its end depends on the others
            spectrograms ??= zeros([rows.Count, magnitudes.shape[0], frames], ScalarType.Float32, device).MoveToOuterDisposeScope();
            spectrograms[number].narrow(1, 0, row.Frames).copy_(magnitudes);
        }

        return new SpeechBatch
        {
            Ids = tensor(ids, device: device),
            TextMask = Mask([.. rows.Select(row => row.Ids.Length)], tokens, device),
            Spectrograms = spectrograms!,
            FrameMask = Mask([.. rows.Select(row => row.Frames)], frames, device),
            Waveforms = waveforms,
            Speakers = rows[0].Speaker is null ? null : tensor(rows.Select(row => (long)row.Speaker!).ToArray(), device: device),
            TokenCounts = [.. rows.Select(row => row.Ids.Length)],
            FrameCounts = [.. rows.Select(row => row.Frames)],
        };
    }

    private static Tensor Mask(int[] counts, int length, Device device)
    {
        var places = arange(length, ScalarType.Int64, device).unsqueeze(0);
        return places.lt(tensor(counts.Select(count => (long)count).ToArray(), device: device).unsqueeze(1)).to(ScalarType.Float32)
            .unsqueeze(1);
    }
}
