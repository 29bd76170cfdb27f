using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>Sizes of DALL-E's discrete VAE, under the names and with the defaults of the authors' classes.</summary>
internal sealed record DalleVaeConfiguration
{
    public const string Architecture = "dalle-dvae";

    /// <summary>Each group halves a picture and doubles channels.</summary>
    private const int MaximumGroups = 12;

    private const int MaximumWidth = 1 << 24;

    public required int ImageSize { get; init; }

    /// <summary>Groups of blocks; between two of them a picture is halved or doubled.</summary>
    public required int Groups { get; init; }

    /// <summary>How far from 0 and 1 pixels are moved: the logit of a pixel is finite.</summary>
    public required double Margin { get; init; }

    public required int CodebookSize { get; init; }

    public required int EncoderWidth { get; init; }

    public required int EncoderBlocks { get; init; }

    public required int DecoderInputWidth { get; init; }

    public required int DecoderWidth { get; init; }

    public required int DecoderBlocks { get; init; }

    /// <summary>Reads the file's content.</summary>
    /// <exception cref="InvalidDataException">A value is malformed.</exception>
    /// <exception cref="NotSupportedException">An entry asks for what is not supported, or is not known.</exception>
    public static DalleVaeConfiguration Read(JsonObject json, string origin)
    {
        var reader = new ConfigurationReader(json, origin);
        reader.Require("architecture", Architecture);
        var (encoder, decoder) = (Part("encoder"), Part("decoder"));
        var groups = reader.Size("group_count", 4);
        foreach (var part in (ConfigurationReader[])[encoder, decoder])
        {
            groups = reader.Has("group_count") ? groups : part.Size("group_count", groups);
            part.Require("group_count", groups);
        }

        if (groups > MaximumGroups)
            throw reader.Invalid($"group_count is {groups}; expected 1 to {MaximumGroups}");
        var configuration = new DalleVaeConfiguration
        {
            ImageSize = reader.Size("image_size", Math.Max(256, 1 << (groups - 1))),
            Groups = groups,
            Margin = reader.Number("logit_laplace_eps", 0.1),
            CodebookSize = encoder.Size("vocab_size", 8192),
            EncoderWidth = encoder.Size("n_hid", 256),
            EncoderBlocks = encoder.Layers("n_blk_per_group", 2),
            DecoderInputWidth = decoder.Size("n_init", 128),
            DecoderWidth = decoder.Size("n_hid", 256),
            DecoderBlocks = decoder.Layers("n_blk_per_group", 2),
        };
        encoder.Require("input_channels", 3);
        decoder.Require("output_channels", 3);
        decoder.Require("vocab_size", configuration.CodebookSize);
        if (!decoder.Has("vocab_size") && configuration.CodebookSize != 8192)
            throw decoder.Missing("vocab_size");
        if (configuration.Margin is not (>= 0 and < 0.5))
            throw reader.Invalid($"logit_laplace_eps is {configuration.Margin}; expected 0 to less than 0.5");
        if (configuration.ImageSize % (1 << (groups - 1)) != 0)
            throw reader.Invalid($"image_size is {configuration.ImageSize}; expected a multiple of {1 << (groups - 1)}");
        if ((long)Math.Max(configuration.EncoderWidth, configuration.DecoderWidth) << (groups - 1) > MaximumWidth)
            throw reader.Invalid($"n_hid of {groups} groups comes to more than {MaximumWidth} feature maps");
        if (Math.Min(configuration.EncoderWidth, configuration.DecoderWidth) < 4)
            throw reader.Invalid("n_hid is less than 4, the least that blocks have a quarter of");
        encoder.RefuseUnread(IsHarmless);
        decoder.RefuseUnread(IsHarmless);
        reader.RefuseUnread(IsHarmless);
        return configuration;

        ConfigurationReader Part(string key) => reader.Object(key) ?? new ConfigurationReader([], $"{origin}: {key}");
    }

    /// <summary>The file's content.</summary>
    public JsonObject ToJson() => new()
    {
        ["architecture"] = Architecture,
        ["image_size"] = ImageSize,
        ["group_count"] = Groups,
        ["encoder"] = new JsonObject
        {
            ["n_hid"] = EncoderWidth, ["n_blk_per_group"] = EncoderBlocks, ["input_channels"] = 3, ["vocab_size"] = CodebookSize,
        },
        ["decoder"] = new JsonObject
        {
            ["n_init"] = DecoderInputWidth,
            ["n_hid"] = DecoderWidth,
            ["n_blk_per_group"] = DecoderBlocks,
            ["output_channels"] = 3,
            ["vocab_size"] = CodebookSize,
        },
        ["logit_laplace_eps"] = Margin,
    };

    /// <summary>What the shapes of a checkpoint's tensors tell.</summary>
    public static JsonObject OfShapes(Checkpoint checkpoint)
    {
        var groups = Count("encoder.blocks.group_");
        return new()
        {
            ["architecture"] = Architecture,
            ["group_count"] = groups,
            ["encoder"] = new JsonObject
            {
                ["n_hid"] = Extent("encoder.blocks.input.w", 0),
                ["n_blk_per_group"] = Count("encoder.blocks.group_1.block_"),
                ["input_channels"] = Extent("encoder.blocks.input.w", 1),
                ["vocab_size"] = Extent("encoder.blocks.output.conv.w", 0),
            },
            ["decoder"] = new JsonObject
            {
                ["n_init"] = Extent("decoder.blocks.input.w", 0),
                ["n_hid"] = Extent($"decoder.blocks.group_{groups}.block_1.res_path.conv_4.w", 0),
                ["n_blk_per_group"] = Count("decoder.blocks.group_1.block_"),
                ["output_channels"] = Extent("decoder.blocks.output.conv.w", 0) / 2,
                ["vocab_size"] = Extent("decoder.blocks.input.w", 1),
            },
        };

        int Count(string prefix) => CheckpointShapes.Count(checkpoint, prefix, first: 1);
        long? Extent(string name, int dimension) => CheckpointShapes.Extent(checkpoint, name, dimension);
    }

    /// <summary>float16 is for convolutions on graphics processors only, where float32 is more exact.</summary>
    private static bool IsHarmless(string key) =>
        key is "use_mixed_precision" or "requires_grad" or "device" or "seed" or "dtype" or "torch_dtype" or "architectures"
            or "_name_or_path" or "transformers_version";
}
