using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Codecs;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using static TorchSharp.torch;
using Sizes = MLTransfer.Torch.Networks.Dalle.DalleConfiguration;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>The codec of a DALL-E: the package's own class, whose weights are in its files, or another one that the caller gives.</summary>
internal static class DalleCodec
{
    /// <summary>What the package calls the codec of DALL-E's authors.</summary>
    private const string AuthorsClass = "OpenAIDiscreteVAE";

    /// <summary>The codec in a folder.</summary>
    /// <exception cref="ArgumentException">It holds another network.</exception>
    public static ImageCodec Load(string folder, Device device)
    {
        var network = GenerativeNetwork.Load(folder, device: device);
        if (network is ImageCodec codec)
            return codec;
        var name = network.GetType().Name;
        network.Dispose();
        throw new ArgumentException($"'{folder}' holds a {name}; expected a codec of pictures.", nameof(folder));
    }

    /// <summary>The codec in a checkpoint, behind <c>vae.</c>.</summary>
    /// <exception cref="NotSupportedException">The checkpoint was made with a codec that is not in it.</exception>
    public static ImageCodec Load(JsonObject configuration, string codecClass, Checkpoint checkpoint, string origin, Device device)
    {
        if (configuration[Sizes.CodecName] is null && codecClass != Sizes.OwnCodecClass)
            return LoadAuthors(codecClass, checkpoint, origin, device);
        var sizes = (configuration[Sizes.CodecName] ?? configuration[Sizes.CodecSizesName])!.AsObject();
        var (place, prefix) = ($"{origin}: {Sizes.CodecSizesName}", DalleNames.Codec + ".");
        return IsVqgan(sizes) ? VqganModel.Load(sizes, checkpoint, place, prefix, device)
            : DiscreteVaeModel.Load(sizes, checkpoint, place, prefix, device);
    }

    /// <summary>What a configuration, as <see cref="Describe"/> gives it, tells of the codec.</summary>
    /// <exception cref="InvalidDataException">An entry is missing or malformed.</exception>
    /// <exception cref="NotSupportedException">The configuration does not tell the codec's sizes.</exception>
    public static ImageCodecSizes SizesOf(JsonObject configuration, string origin)
    {
        var codecClass = Sizes.CheckFile(configuration, origin);
        return (configuration[Sizes.CodecName] ?? (codecClass == Sizes.OwnCodecClass ? configuration[Sizes.CodecSizesName] : null))
            is JsonObject sizes ? ImageCodecSizes.Read(sizes, $"{origin}: {Sizes.CodecSizesName}") : throw Unsupported(codecClass, origin);
    }

    /// <summary>DALL-E's own codec, where the file has its two parts.</summary>
    private static DiscreteVaeModel LoadAuthors(string codecClass, Checkpoint checkpoint, string origin, Device device)
    {
        var (encoder, decoder) = ($"{DalleNames.Codec}.enc.", $"{DalleNames.Codec}.dec.");
        if (codecClass != AuthorsClass || !checkpoint.Tensors.Keys.Any(name => name.StartsWith(encoder, StringComparison.Ordinal)))
            throw Unsupported(codecClass, origin);
        using var parts = new JoinedCheckpoint(
            origin, ("encoder.", new PartialCheckpoint(checkpoint, encoder)), ("decoder.", new PartialCheckpoint(checkpoint, decoder)));
        return DiscreteVaeModel.Load(configuration: null, parts, $"{origin}: {Sizes.CodecClassName} {codecClass}", device: device);
    }

    /// <summary>A new codec.</summary>
    /// <exception cref="NotSupportedException">The configuration names another class than the package's own.</exception>
    public static ImageCodec Create(JsonObject configuration, string codecClass, long seed, Device device)
    {
        if (configuration[Sizes.CodecName] is JsonObject whole)
        {
            var own = whole.DeepClone().AsObject();
            return IsVqgan(own) ? VqganModel.Create(own, seed, device) : DiscreteVaeModel.Create(own, seed, device);
        }

        if (codecClass != Sizes.OwnCodecClass)
            throw Unsupported(codecClass, "the configuration");
        return DiscreteVaeModel.Create(
            new JsonObject
            {
                ["architecture"] = ReplicatedVaeConfiguration.Architecture,
                [ReplicatedVaeConfiguration.Arguments] = configuration[Sizes.CodecSizesName]!.DeepClone(),
            },
            seed, device);
    }

    /// <summary>The configuration of a model with a given codec.</summary>
    public static JsonObject Describe(JsonObject configuration, ImageCodec codec)
    {
        var described = configuration.DeepClone().AsObject();
        foreach (var key in (string[])[Sizes.CodecClassName, Sizes.CodecSizesName, Sizes.CodecName])
            described.Remove(key);
        var ofCodec = codec.Configuration.DeepClone().AsObject();
        if (ofCodec["architecture"]?.ToString() != ReplicatedVaeConfiguration.Architecture)
        {
            described[Sizes.CodecName] = ofCodec;
            return described;
        }

        described[Sizes.CodecClassName] = Sizes.OwnCodecClass;
        ofCodec.Remove("architecture");
        described[Sizes.CodecSizesName] = ofCodec[ReplicatedVaeConfiguration.Arguments]?.DeepClone() ?? ofCodec;
        return described;
    }

    private static bool IsVqgan(JsonObject configuration) =>
        configuration["architecture"]?.ToString() == VqganConfiguration.Architecture;

    private static NotSupportedException Unsupported(string codecClass, string origin) => new(
        $"{origin}: {Sizes.CodecClassName} is '{codecClass}', whose weights are not in the file of the transformer. Load it with "
        + "codecFolder, a folder that has the codec: DALL-E's discrete VAE, a VQGAN or a DiscreteVAE.");
}
