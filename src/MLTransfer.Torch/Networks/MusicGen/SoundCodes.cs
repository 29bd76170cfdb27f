using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Sounds;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.MusicGen;

/// <summary>Between sounds and a MusicGen's codebooks: the channels of stereo go through the mono codec apart, and their codebooks are
/// left and right in turn.</summary>
internal static class SoundCodes
{
    /// <exception cref="InvalidDataException">The codec's codes are not those that the decoder writes.</exception>
    public static void Check(CausalLanguageModel decoder, EnCodecModel codec, int channels)
    {
        var codebooks = decoder.Output.Heads.Count / channels;
        if (codec.CodebookSize != decoder.VocabularySize || codec.CodebookCount < codebooks)
        {
            throw new InvalidDataException(
                $"config.json: the decoder writes {codebooks} codebooks of {decoder.VocabularySize} codes a channel, but the codec of "
                + $"audio_encoder has {codec.CodebookCount} of {codec.CodebookSize}.");
        }

        if (codec.Channels != 1 || codec.ChunkLength is not null || codec.Sizes.Normalizes)
        {
            throw new NotSupportedException(
                "config.json: audio_encoder has several channels, chunks or normalization; the codec of a MusicGen is mono, also where its "
                + "decoder is stereo, and encodes a sound at once.");
        }
    }

    /// <summary>[codebooks][frames].</summary>
    public static int[][] Encode(MusicGenModel model, Waveform sound)
    {
        CheckSound(sound, model.SampleRate, model.Channels);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var each = model.Codebooks / model.Channels;
        var bandwidth = BandwidthOf(model.Codec, each);
        var codes = new int[model.Codebooks][];
        for (var channel = 0; channel < model.Channels; channel++)
        {
            using var encoded = model.Codec.Encode(
                new Waveform(sound.Channel(channel).ToArray(), sound.SampleRate), bandwidth); // [1, 1, codebooks, frames]
            for (var codebook = 0; codebook < each; codebook++)
            {
                var row = encoded.Codes[0][0][codebook].to(ScalarType.Int32).cpu().contiguous();
                codes[codebook * model.Channels + channel] = NativeTensor.AsSpan<int>(row).ToArray();
            }
        }

        return codes;
    }

    public static Waveform Decode(MusicGenModel model, IReadOnlyList<int[]> codes)
    {
        CheckCodes(model, codes);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var channels = new List<Tensor>();
        for (var channel = 0; channel < model.Channels; channel++)
        {
            long[] own =
                [.. codes.Where((_, codebook) => codebook % model.Channels == channel).SelectMany(row => row).Select(c => (long)c)];
            var input = tensor(own, device: model.Codec.Device).view(1, model.Codebooks / model.Channels, codes[0].Length);
            channels.Add(model.Codec.Decode(input)[0][0]);                                   // [samples]
        }

        return Waveform.FromTensor(stack(channels), model.SampleRate);
    }

    /// <summary>Whether the codec encodes with so many codebooks.</summary>
    public static bool HasBandwidthOf(EnCodecModel codec, int codebooks) =>
        codec.Bandwidths.Any(bandwidth => codec.CodebooksOf(bandwidth) == codebooks);

    /// <summary>The bandwidth of so many codebooks.</summary>
    /// <exception cref="NotSupportedException">There is none.</exception>
    public static double BandwidthOf(EnCodecModel codec, int codebooks)
    {
        foreach (var bandwidth in codec.Bandwidths)
        {
            if (codec.CodebooksOf(bandwidth) == codebooks)
                return bandwidth;
        }

        throw new NotSupportedException(
            $"The codec has no bandwidth of {codebooks} codebooks, which the decoder writes: it has {string.Join(", ", codec.Bandwidths)} "
            + "kbit/s. Sounds cannot be made into codes.");
    }

    /// <exception cref="ArgumentException">The sound has another rate or other channels, no sample, or one that is no number.</exception>
    public static void CheckSound(Waveform sound, int sampleRate, int channels)
    {
        if (sound.SampleRate != sampleRate || sound.Channels != channels)
        {
            throw new ArgumentException(
                $"The sound has {sound.Channels} channels at {sound.SampleRate} Hz; this model's have {channels} at {sampleRate} Hz. "
                + "Resample it first.", nameof(sound));
        }

        if (sound.Frames == 0)
            throw new ArgumentException("The sound has no samples.", nameof(sound));
        foreach (var sample in sound.Samples)
        {
            if (!float.IsFinite(sample))
                throw new ArgumentException("The sound has samples that are NaN or infinite. Repair or leave it out.", nameof(sound));
        }
    }

    /// <exception cref="ArgumentException">There are other codebooks, no frames, or a code that is none of the codebook's.</exception>
    public static void CheckCodes(MusicGenModel model, IReadOnlyList<int[]> codes)
    {
        if (codes.Count != model.Codebooks || codes.Any(row => row.Length != codes[0].Length) || codes[0].Length == 0)
        {
            throw new ArgumentException(
                $"There are {codes.Count} codebooks of {string.Join(", ", codes.Select(row => row.Length))} frames; expected "
                + $"{model.Codebooks} of one length.", nameof(codes));
        }

        if (codes.Any(row => row.Any(code => (uint)code >= (uint)model.CodebookSize)))
            throw new ArgumentException($"There is a code outside of 0 to {model.CodebookSize - 1}.", nameof(codes));
    }
}
