using System.Collections.Immutable;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers.Description;
using TorchSharp;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>What the <c>config.json</c> of an EnCodec says (arXiv 2210.13438; transformers' <c>EncodecConfig</c>).</summary>
internal sealed record EnCodecConfiguration
{
    public const string ModelType = "encodec";

    private const int MaximumSize = 1 << 24;
    private const int MaximumRatios = 16;

    /// <summary>Samples a second.</summary>
    public required int SampleRate { get; init; }

    /// <summary>1 for mono, 2 for stereo.</summary>
    public required int Channels { get; init; }

    /// <summary>Kilobits a second that one can choose from; the first one where nobody chooses.</summary>
    public required ImmutableArray<double> Bandwidths { get; init; }

    /// <summary>Whether a chunk is divided by its root mean square before it is encoded.</summary>
    public required bool Normalizes { get; init; }

    /// <summary>Samples that are encoded together; null for a whole sound.</summary>
    public required int? ChunkLength { get; init; }

    /// <summary>Samples from the start of a chunk to that of the next.</summary>
    public required int? ChunkStride { get; init; }

    /// <summary>The width of what is quantized.</summary>
    public required int HiddenWidth { get; init; }

    /// <summary>Feature maps beside the sound; each change of rate by a ratio doubles or halves them.</summary>
    public required int Filters { get; init; }

    /// <summary>Residual units for each ratio.</summary>
    public required int ResidualUnits { get; init; }

    /// <summary>How often the decoder multiplies the rate, in its order; the encoder divides in the opposite order.</summary>
    public required ImmutableArray<int> Ratios { get; init; }

    /// <summary>Weight normalization of convolutions; else their outputs are normalized over channels and time.</summary>
    public required bool HasWeightNorm { get; init; }

    public required int Kernel { get; init; }

    public required int LastKernel { get; init; }

    public required int ResidualKernel { get; init; }

    /// <summary>The factor from a residual unit's dilation to the next one's.</summary>
    public required int DilationGrowth { get; init; }

    /// <summary>Whether nothing is read of the future.</summary>
    public required bool IsCausal { get; init; }

    public required PaddingModes Padding { get; init; }

    /// <summary>By how much residual units are narrower inside.</summary>
    public required int Compression { get; init; }

    public required int RecurrentLayers { get; init; }

    /// <summary>How much of what a causal transposed convolution has too much is cut off at its end.</summary>
    public required double TrimRightRatio { get; init; }

    /// <summary>Codewords of a codebook.</summary>
    public required int CodebookSize { get; init; }

    /// <summary>Whether residual units have a convolution in their shortcut.</summary>
    public required bool HasShortcutConvolution { get; init; }

    /// <summary>Samples of a frame of codes.</summary>
    public int HopLength => Ratios.Aggregate(1, static (product, ratio) => product * ratio);

    /// <summary>Frames of codes a second, rounded up.</summary>
    public int FrameRate => (SampleRate + HopLength - 1) / HopLength;

    /// <summary>The feature maps beside the codes.</summary>
    public int MostFilters => Filters << Ratios.Length;

    /// <summary>How many codebooks there are.</summary>
    public int Codebooks => (int)Math.Floor(1000 * Bandwidths[^1] / (FrameRate * Math.Ceiling(Math.Log2(CodebookSize))));

    /// <summary>How many codebooks a bandwidth uses.</summary>
    public int CodebooksOf(double bandwidth) => (int)Math.Clamp(
        Math.Floor(1000 * bandwidth / (Math.Log2(CodebookSize) * FrameRate)), 1, Codebooks);

    /// <summary>Reads and checks the entries.</summary>
    /// <exception cref="InvalidDataException">An entry is malformed, or entries do not fit each other.</exception>
    /// <exception cref="NotSupportedException">An entry is not known, or asks for what is not supported; the message names it.</exception>
    public static EnCodecConfiguration Read(JsonObject json, string origin = ModelConfigurationFile.FileName)
    {
        var c = new ConfigurationReader(json, origin);
        c.Require("model_type", ModelType);
        var (rate, hidden, size) = (c.Size("sampling_rate", 24000), c.Size("hidden_size", 128), c.Size("codebook_size", 1024));
        var (length, stride) = Chunks(c, rate);
        var configuration = new EnCodecConfiguration
        {
            SampleRate = rate,
            Channels = c.Size("audio_channels", 1),
            Bandwidths = [.. c.Numbers("target_bandwidths") ?? [1.5, 3, 6, 12, 24]],
            Normalizes = c.Flag("normalize", false),
            ChunkLength = length,
            ChunkStride = stride,
            HiddenWidth = hidden,
            Filters = c.Size("num_filters", 32),
            ResidualUnits = c.Count("num_residual_layers", 1),
            Ratios = ReadRatios(c),
            HasWeightNorm = c.Text("norm_type", "weight_norm") switch
            {
                "weight_norm" => true,
                "time_group_norm" => false,
                _ => throw c.Unsupported("norm_type", "supported are 'weight_norm' and 'time_group_norm'"),
            },
            Kernel = c.Size("kernel_size", 7),
            LastKernel = c.Size("last_kernel_size", 7),
            ResidualKernel = c.Size("residual_kernel_size", 3),
            DilationGrowth = c.Size("dilation_growth_rate", 2),
            IsCausal = c.Flag("use_causal_conv", true),
            Padding = c.Text("pad_mode", "reflect") switch
            {
                "reflect" => PaddingModes.Reflect,
                "replicate" => PaddingModes.Replicate,
                "constant" => PaddingModes.Constant,
                _ => throw c.Unsupported("pad_mode", "supported are 'reflect', 'replicate' and 'constant'"),
            },
            Compression = c.Size("compress", 2),
            RecurrentLayers = c.Layers("num_lstm_layers", 2),
            TrimRightRatio = c.Number("trim_right_ratio", 1),
            CodebookSize = size,
            HasShortcutConvolution = c.Flag("use_conv_shortcut", true),
        };
        if (c.Size("codebook_dim", hidden) is var width && width != hidden)
            throw c.Unsupported("codebook_dim", $"what is quantized has hidden_size {hidden} and is not projected to another width");
        configuration.Check(c);
        c.RefuseUnread(static key => key == "tie_word_embeddings" || CommonEntries.Contains(key));
        return configuration;
    }

    private static (int? Length, int? Stride) Chunks(ConfigurationReader c, int rate)
    {
        var overlap = c.OptionalNumber("overlap");
        if (c.OptionalNumber("chunk_length_s") is not { } seconds)
            return (null, null);
        if (overlap is not (>= 0 and < 1))
            throw c.Invalid($"overlap is {overlap?.ToString() ?? "null"}; chunk_length_s needs one from 0 to less than 1");
        var length = seconds * rate;
        if (length is not (>= 1 and <= MaximumSize))
            throw c.Invalid($"chunk_length_s is {seconds}: {length} samples; expected 1 to {MaximumSize}");
        return ((int)length, Math.Max(1, (int)((1 - overlap.Value) * (int)length)));
    }

    private static ImmutableArray<int> ReadRatios(ConfigurationReader c)
    {
        var ratios = c.Numbers("upsampling_ratios") ?? [8, 5, 4, 2];
        if (ratios.Count is 0 or > MaximumRatios || ratios.Any(ratio => ratio < 1 || ratio != Math.Floor(ratio))
            || ratios.Aggregate(1.0, static (product, ratio) => product * ratio) > MaximumSize)
        {
            throw c.Invalid($"upsampling_ratios is [{string.Join(", ", ratios)}]; expected 1 to {MaximumRatios} whole numbers from 1 "
                + $"whose product is at most {MaximumSize}");
        }

        return [.. ratios.Select(ratio => (int)ratio)];
    }

    private void Check(ConfigurationReader c)
    {
        if (Channels > 2)
            throw c.Unsupported("audio_channels", "supported are 1 and 2");
        if (Bandwidths.IsEmpty || Bandwidths.Any(bandwidth => bandwidth <= 0))
            throw c.Invalid($"target_bandwidths is [{string.Join(", ", Bandwidths)}]; expected numbers above 0");
        if (CodebookSize < 2)
            throw c.Invalid($"codebook_size is {CodebookSize}; expected 2 or more");
        if (Codebooks is < 1 or > ConfigurationReader.MaximumLayers)
        {
            throw c.Invalid($"the last of target_bandwidths, {Bandwidths[^1]} kbit/s at {FrameRate} frames a second with codebooks of "
                + $"{CodebookSize}, asks for {Codebooks} of them; expected 1 to {ConfigurationReader.MaximumLayers}");
        }

        if ((long)Filters << Ratios.Length > MaximumSize)
            throw c.Invalid($"num_filters {Filters} doubled for each of {Ratios.Length} upsampling_ratios is more than {MaximumSize}");
        if (Compression > Filters)
            throw c.Invalid($"compress {Compression} leaves nothing of num_filters {Filters}");
        if (ResidualUnits > ConfigurationReader.MaximumLayers
            || ResidualUnits > 0 && (ResidualKernel - 1) * Math.Pow(DilationGrowth, ResidualUnits - 1) > MaximumSize)
        {
            throw c.Invalid($"num_residual_layers {ResidualUnits} with dilation_growth_rate {DilationGrowth} is too many");
        }

        if (TrimRightRatio is not (>= 0 and <= 1))
            throw c.Invalid($"trim_right_ratio is {TrimRightRatio}; expected 0 to 1");
        if (!IsCausal && TrimRightRatio != 1)
            throw c.Unsupported("trim_right_ratio", "use_causal_conv false takes 1 only");
    }
}
