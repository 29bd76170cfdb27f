using System.Collections.Immutable;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>What is said of a VQGAN's sizes: entries <c>embed_dim</c>, <c>n_embed</c> and <c>ddconfig</c>, as taming-transformers has them;
/// or all of them side by side, which is the decoder of a DALL-E mini without an encoder.</summary>
internal sealed record VqganConfiguration
{
    public const string Architecture = "vqgan";

    /// <summary>The entry that tells a VQGAN of [0, 1] from those of [-1, 1].</summary>
    public const string UnitRange = "unit_range";

    /// <summary>Feature maps are normalized in so many groups.</summary>
    public const int Groups = 32;

    private const int MaximumChannels = 1 << 16;
    private const int MaximumLevels = 16;
    private const int MaximumBlocks = 256;

    /// <summary>Feature maps that the multipliers count.</summary>
    public required int Channels { get; init; }

    /// <summary>The multiple of <see cref="Channels"/> at each level, that of whole pictures first; a level has half the side.</summary>
    public required ImmutableArray<int> Multipliers { get; init; }

    /// <summary>Residual blocks of a level in the encoder; the decoder has one more.</summary>
    public required int ResidualBlocks { get; init; }

    /// <summary>The sides at which residual blocks are followed by attention.</summary>
    public required ImmutableArray<int> AttentionResolutions { get; init; }

    /// <summary>The side of the pictures that it is made for.</summary>
    public required int Resolution { get; init; }

    /// <summary>Feature maps beside the codes.</summary>
    public required int LatentChannels { get; init; }

    /// <summary>The width of a codeword.</summary>
    public required int CodewordWidth { get; init; }

    public required int CodebookSize { get; init; }

    /// <summary>Whether sides are halved and doubled by convolutions; else by a mean of four, and plainly.</summary>
    public required bool ResamplesByConvolution { get; init; }

    public required bool HasEncoder { get; init; }

    /// <summary>Whether the network computes with pixels in [0, 1]; else in [-1, 1].</summary>
    public required bool ComputesInUnitRange { get; init; }

    /// <summary>Keeps the root of normalizations from 0.</summary>
    public double Epsilon => HasEncoder ? 1e-6 : 1e-5;

    public int Levels => Multipliers.Length;

    /// <summary>Pixels along a code's side.</summary>
    public int Factor => 1 << (Levels - 1);

    /// <summary>Feature maps of a level.</summary>
    public int ChannelsAt(int level) => Channels * Multipliers[level];

    /// <summary>Whether residual blocks of a side are followed by attention.</summary>
    public bool Attends(int resolution) => AttentionResolutions.Contains(resolution);

    /// <summary>Reads and checks the entries.</summary>
    /// <exception cref="InvalidDataException">An entry is missing or malformed, or entries do not fit each other.</exception>
    /// <exception cref="NotSupportedException">An entry is not known, or asks for what is not supported; the message names it.</exception>
    public static VqganConfiguration Read(JsonObject json, string origin = ModelConfigurationFile.FileName)
    {
        var c = new ConfigurationReader(json, origin);
        c.Require("architecture", Architecture);
        var layers = c.Object("ddconfig");
        var sizes = layers ?? c;
        var configuration = new VqganConfiguration
        {
            Channels = sizes.Size("ch"),
            Multipliers = Sizes(sizes, "ch_mult", layers is null ? [1, 1, 2, 2, 4] : [1, 2, 4, 8], MaximumLevels),
            ResidualBlocks = sizes.Size("num_res_blocks"),
            AttentionResolutions = Sizes(sizes, "attn_resolutions", otherwise: null, int.MaxValue),
            Resolution = sizes.Size("resolution"),
            LatentChannels = sizes.Size("z_channels"),
            CodewordWidth = c.Size("embed_dim"),
            CodebookSize = c.Size("n_embed"),
            ResamplesByConvolution = sizes.Flag("resamp_with_conv", true),
            HasEncoder = layers is not null,
            ComputesInUnitRange = c.Flag(UnitRange, layers is null),
        };
        sizes.Probability("dropout", 0); // of training
        foreach (var key in (string[])["in_channels", "out_ch"])
            sizes.Require(key, 3);
        sizes.Require("attn_type", "vanilla");
        sizes.Refuse("double_z", "a VQGAN has no variances beside its latent vectors");
        sizes.Refuse("give_pre_end", "a decoder that ends before its last convolution makes no picture");
        configuration.Check(sizes);
        layers?.RefuseUnread(static _ => false);
        c.RefuseUnread(CommonEntries.Contains);
        return configuration;
    }

    private static ImmutableArray<int> Sizes(ConfigurationReader c, string key, int[]? otherwise, int most)
    {
        var numbers = c.Numbers(key) ?? otherwise?.Select(number => (double)number).ToList() ?? throw c.Missing(key);
        if (numbers.Count > most || numbers.Any(number => number is < 1 or > MaximumChannels || number != Math.Floor(number)))
        {
            throw c.Invalid($"{key} is [{string.Join(", ", numbers)}]; expected at most {most} whole numbers from 1 to "
                + $"{MaximumChannels}");
        }

        return [.. numbers.Select(number => (int)number)];
    }

    private void Check(ConfigurationReader c)
    {
        if (Multipliers.IsEmpty)
            throw c.Invalid("ch_mult is empty; expected a number for each level");
        if (Channels > MaximumChannels || Multipliers.Max() > MaximumChannels / Channels)
            throw c.Invalid($"ch {Channels} times the largest of ch_mult is more than {MaximumChannels}");
        if (Channels % Groups != 0 && Multipliers.Append(1).Any(multiplier => Channels * multiplier % Groups != 0))
        {
            throw c.Invalid($"ch is {Channels} and ch_mult [{string.Join(", ", Multipliers)}]; expected feature maps that are a multiple "
                + $"of the {Groups} groups in which they are normalized");
        }

        if (ResidualBlocks > MaximumBlocks)
            throw c.Invalid($"num_res_blocks is {ResidualBlocks}; expected 1 to {MaximumBlocks}");
        if (LatentChannels > MaximumChannels || CodewordWidth > MaximumChannels)
            throw c.Invalid($"z_channels is {LatentChannels} and embed_dim {CodewordWidth}; expected at most {MaximumChannels}");
        if (Resolution < Factor)
            throw c.Invalid($"resolution is {Resolution}, which the {Levels} levels of ch_mult make less than one code of");
        if (CodebookSize < 2)
            throw c.Invalid($"n_embed is {CodebookSize}; expected 2 or more");
    }
}
