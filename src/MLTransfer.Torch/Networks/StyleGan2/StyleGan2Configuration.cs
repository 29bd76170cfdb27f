using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>
/// The entries of a StyleGAN2 <c>config.json</c>: the keyword arguments that the authors' PyTorch release builds its networks with.
/// </summary>
internal sealed class StyleGan2Configuration
{
    public const string Architecture = "stylegan2";

    public const int MaximumWidth = 8192;

    private const int MaximumResolution = 2048;

    [JsonPropertyName("generator")] public GeneratorSizes Generator { get; init; } = new();
    [JsonPropertyName("discriminator")] public DiscriminatorSizes Discriminator { get; init; } = new();

    /// <summary>The resolutions of the networks' blocks, rising: 4, 8 ... up to the image's.</summary>
    public static IEnumerable<int> Resolutions(int imageResolution)
    {
        for (var resolution = 4; resolution <= imageResolution; resolution *= 2)
            yield return resolution;
    }

    /// <exception cref="InvalidDataException">An entry is missing, of a wrong type or out of its range; the message names it.</exception>
    /// <exception cref="NotSupportedException">An entry asks for a variant of the networks that is not supported.</exception>
    public static StyleGan2Configuration Parse(JsonObject json, string origin)
    {
        if (json["architecture"] is { } named && named.ToString() != Architecture)
            throw new NotSupportedException($"{origin}: architecture is '{named}'; expected '{Architecture}'.");
        foreach (var name in (string[])["generator", "discriminator"])
        {
            if (json[name] is not JsonObject)
                throw new InvalidDataException($"{origin} has no object '{name}' with the sizes of that network.");
        }

        StyleGan2Configuration configuration;
        try
        {
            configuration = json.Deserialize<StyleGan2Configuration>()!;
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{origin}: {exception.Message}", exception);
        }

        configuration.Check(origin);
        return configuration;
    }

    private void Check(string origin)
    {
        var (generator, discriminator) = (Generator, Discriminator);
        // An explicit null replaces the defaults.
        foreach (var (name, value) in (ReadOnlySpan<(string, object?)>)[
            ("generator.mapping_kwargs", generator.Mapping), ("generator.synthesis_kwargs", generator.Synthesis),
            ("discriminator.mapping_kwargs", discriminator.Mapping), ("discriminator.epilogue_kwargs", discriminator.Epilogue)])
        {
            if (value is null)
                throw new InvalidDataException($"{origin}: {name} is null; expected an object.");
        }

        Range("generator.z_dim", generator.LatentWidth, 1, MaximumWidth);
        Range("generator.w_dim", generator.StyleWidth, 1, MaximumWidth);
        Range("generator.c_dim", generator.LabelWidth, 0, MaximumWidth);
        Range("generator.img_channels", generator.ImageChannels, 1, 64);
        CheckResolution("generator.img_resolution", generator.ImageResolution);
        CheckMapping("generator.mapping_kwargs", generator.Mapping);
        CheckChannels("generator.synthesis_kwargs", generator.Synthesis, generator.ImageResolution, "skip");

        Range("discriminator.c_dim", discriminator.LabelWidth, 0, MaximumWidth);
        Range("discriminator.img_channels", discriminator.ImageChannels, 1, 64);
        CheckResolution("discriminator.img_resolution", discriminator.ImageResolution);
        CheckMapping("discriminator.mapping_kwargs", discriminator.Mapping);
        CheckChannels("discriminator", discriminator, discriminator.ImageResolution, "resnet");
        Range("discriminator.cmap_dim", discriminator.MappedLabelWidth ?? 1, 1, MaximumWidth);
        Range("discriminator.epilogue_kwargs.mbstd_group_size", discriminator.Epilogue.GroupSize, 1, 1 << 16);
        Range("discriminator.epilogue_kwargs.mbstd_num_channels", discriminator.Epilogue.DeviationChannels, 1, MaximumWidth);
        if (discriminator.Channels(4) % discriminator.Epilogue.DeviationChannels != 0)
        {
            throw new InvalidDataException(
                $"{origin}: discriminator.epilogue_kwargs.mbstd_num_channels is {discriminator.Epilogue.DeviationChannels}; "
                + $"expected a divisor of the {discriminator.Channels(4)} channels at 4x4.");
        }

        if ((generator.LabelWidth, generator.ImageResolution, generator.ImageChannels)
            != (discriminator.LabelWidth, discriminator.ImageResolution, discriminator.ImageChannels))
        {
            throw new InvalidDataException(
                $"{origin}: generator and discriminator differ in c_dim ({generator.LabelWidth} and {discriminator.LabelWidth}), "
                + $"img_resolution ({generator.ImageResolution} and {discriminator.ImageResolution}) "
                + $"or img_channels ({generator.ImageChannels} and {discriminator.ImageChannels}); expected the same.");
        }

        void CheckResolution(string name, int value)
        {
            if (value is < 8 or > MaximumResolution || !int.IsPow2(value))
                throw new InvalidDataException($"{origin}: {name} is {value}; expected a power of two from 8 to {MaximumResolution}.");
        }

        void CheckMapping(string name, MappingSizes mapping)
        {
            Range($"{name}.num_layers", mapping.LayerCount, 1, 64);
            Range($"{name}.embed_features", mapping.EmbeddingWidth ?? 1, 1, MaximumWidth);
            Range($"{name}.layer_features", mapping.LayerWidth ?? 1, 1, MaximumWidth);
            Supported($"{name}.activation", mapping.Activation, "lrelu");
            if (!(mapping.LearningRateMultiplier > 0) || double.IsInfinity(mapping.LearningRateMultiplier))
                throw new InvalidDataException(
                    $"{origin}: {name}.lr_multiplier is {mapping.LearningRateMultiplier}; expected a positive number.");
            if (mapping.AverageDecay is not (null or >= 0 and < 1))
                throw new InvalidDataException($"{origin}: {name}.w_avg_beta is {mapping.AverageDecay}; expected 0 to less than 1.");
        }

        void CheckChannels(string name, ConvolutionSizes sizes, int resolution, string architecture)
        {
            Range($"{name}.channel_base", sizes.ChannelBase, resolution, 1 << 22);
            Range($"{name}.channel_max", sizes.ChannelMaximum, 1, MaximumWidth);
            Supported($"{name}.architecture", sizes.Architecture, architecture);
            Supported($"{name}.activation", sizes.Activation, "lrelu");
            if (sizes.Clamp is { } clamp && !(clamp > 0))
                throw new InvalidDataException($"{origin}: {name}.conv_clamp is {clamp}; expected null or a positive number.");
            if (sizes.ResampleFilter is { } filter && !filter.SequenceEqual([1, 3, 3, 1]))
                throw new NotSupportedException(
                    $"{origin}: {name}.resample_filter is [{string.Join(", ", filter)}]; supported is [1, 3, 3, 1].");
        }

        void Range(string name, int value, int minimum, int maximum)
        {
            if (value < minimum || value > maximum)
                throw new InvalidDataException($"{origin}: {name} is {value}; expected {minimum} to {maximum}.");
        }

        void Supported(string name, string? value, string supported)
        {
            if (value is not null && value != supported)
                throw new NotSupportedException($"{origin}: {name} is '{value}'; supported is '{supported}'.");
        }
    }

    internal sealed class GeneratorSizes
    {
        [JsonPropertyName("z_dim")] public int LatentWidth { get; init; } = 512;
        [JsonPropertyName("c_dim")] public int LabelWidth { get; init; }
        [JsonPropertyName("w_dim")] public int StyleWidth { get; init; } = 512;
        [JsonPropertyName("img_resolution")] public int ImageResolution { get; init; }
        [JsonPropertyName("img_channels")] public int ImageChannels { get; init; } = 3;
        [JsonPropertyName("mapping_kwargs")] public MappingSizes Mapping { get; init; } = new();
        [JsonPropertyName("synthesis_kwargs")] public ConvolutionSizes Synthesis { get; init; } = new();

        /// <summary>One style a convolution, and one more for the last layer to RGB.</summary>
        public int StyleCount => 2 * int.Log2(ImageResolution) - 2;
    }

    internal sealed class DiscriminatorSizes : ConvolutionSizes
    {
        [JsonPropertyName("c_dim")] public int LabelWidth { get; init; }
        [JsonPropertyName("img_resolution")] public int ImageResolution { get; init; }
        [JsonPropertyName("img_channels")] public int ImageChannels { get; init; } = 3;
        [JsonPropertyName("cmap_dim")] public int? MappedLabelWidth { get; init; }
        [JsonPropertyName("mapping_kwargs")] public MappingSizes Mapping { get; init; } = new();
        [JsonPropertyName("epilogue_kwargs")] public EpilogueSizes Epilogue { get; init; } = new();
    }

    internal sealed class MappingSizes
    {
        [JsonPropertyName("num_layers")] public int LayerCount { get; init; } = 8;
        [JsonPropertyName("embed_features")] public int? EmbeddingWidth { get; init; }
        [JsonPropertyName("layer_features")] public int? LayerWidth { get; init; }
        [JsonPropertyName("activation")] public string? Activation { get; init; }
        [JsonPropertyName("lr_multiplier")] public double LearningRateMultiplier { get; init; } = 0.01;
        [JsonPropertyName("w_avg_beta")] public double? AverageDecay { get; init; } = 0.995;
    }

    internal class ConvolutionSizes
    {
        [JsonPropertyName("channel_base")] public int ChannelBase { get; init; } = 32768;
        [JsonPropertyName("channel_max")] public int ChannelMaximum { get; init; } = 512;
        [JsonPropertyName("conv_clamp")] public double? Clamp { get; init; }
        [JsonPropertyName("architecture")] public string? Architecture { get; init; }
        [JsonPropertyName("activation")] public string? Activation { get; init; }
        [JsonPropertyName("resample_filter")] public double[]? ResampleFilter { get; init; }

        /// <summary>The feature maps of a block.</summary>
        public int Channels(int resolution) => Math.Min(ChannelBase / resolution, ChannelMaximum);
    }

    internal sealed class EpilogueSizes
    {
        [JsonPropertyName("mbstd_group_size")] public int GroupSize { get; init; } = 4;
        [JsonPropertyName("mbstd_num_channels")] public int DeviationChannels { get; init; } = 1;
    }
}
