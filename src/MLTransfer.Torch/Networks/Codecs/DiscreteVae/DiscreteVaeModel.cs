using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>
/// A discrete VAE (arXiv 2102.12092): an encoder says at each place which codeword is likely, and a decoder makes a picture of the
/// likeliest. It is DALL-E's, with the names of its authors' release, or the <c>DiscreteVAE</c> of dalle-pytorch.
/// </summary>
/// <remarks>Weights are float32.</remarks>
public sealed class DiscreteVaeModel : ImageCodec
{
    /// <summary>Parts of names from which on a name tells a part of a block.</summary>
    private static readonly string[] s_insideBlocks = ["id_path", "res_path", "net", "w", "b", "weight", "bias"];

    private DiscreteVaeModel(JsonObject configuration, DiscreteVaeLayout layout)
        : base(configuration["architecture"]?.ToString() ?? ReplicatedVaeConfiguration.Architecture, configuration)
    {
        Layout = layout;
        foreach (var (name, module) in layout.Modules)
            register_module(name, module);
        eval();
    }

    /// <inheritdoc/>
    public override int ImageSize => Layout.ImageSize;

    /// <inheritdoc/>
    public override int DownsamplingFactor => Layout.DownsamplingFactor;

    /// <inheritdoc/>
    public override int CodebookSize => Layout.CodebookSize;

    /// <inheritdoc/>
    public override IReadOnlyList<string> BlockPrefixes =>
    [
        .. named_parameters()
            .Select(p => string.Join('.', p.name.Split('.').TakeWhile(part => !s_insideBlocks.Contains(part))) + ".").Distinct(),
    ];

    internal DiscreteVaeLayout Layout { get; }

    /// <summary>Loads a discrete VAE, in evaluation mode. Sizes that no configuration tells are those of the tensors.</summary>
    /// <param name="path">
    /// A folder with <c>config.json</c> and weights (see <see cref="Checkpoint.Open"/>), or with the authors' encoder and decoder as state
    /// dicts (<c>encoder.safetensors</c> or <c>encoder.pkl</c>, and the like), or with dalle-pytorch's <c>vae.pt</c>; or that file itself.
    /// </param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="FileNotFoundException">There are no such files.</exception>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other, or a file holds
    /// pickled Python objects; the message tells how to convert it.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    public static DiscreteVaeModel Load(string path, Device? device = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var (configuration, weights) = DiscreteVaeFiles.Open(path);
        using (weights)
            return Load(configuration, weights, path, device: device);
    }

    /// <summary>Builds a discrete VAE of named tensors, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>, or arguments of dalle-pytorch's class; null for what the tensors
    /// tell.</param>
    /// <param name="checkpoint">The weights. It may be disposed after the call.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="prefix">What stands before the names of the tensors, such as <c>vae.</c>; others are left alone.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    public static DiscreteVaeModel Load(
        JsonObject? configuration, Checkpoint checkpoint, string origin = ModelConfigurationFile.FileName, string prefix = "",
        Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(prefix);
        using var part = new PartialCheckpoint(checkpoint, prefix);
        var complete = Complete(configuration, part, origin);
        var model = new DiscreteVaeModel(complete, Build(
            complete, $"{origin}: {ModelConfigurationFile.FileName}",
            WeightSource.FromCheckpoint(part, origin, find: null, ScalarType.Float32, device ?? CPU)));
        var taken = model.CheckpointTensors().Select(tensor => tensor.Key).ToHashSet();
        if (part.Tensors.Keys.Where(name => !taken.Contains(name)).Order(StringComparer.Ordinal).FirstOrDefault() is not { } unknown)
            return model;
        model.Dispose();
        throw new InvalidDataException(
            $"{origin} has a tensor '{prefix}{unknown}' that the discrete VAE of its sizes does not take. Correct "
            + $"{ModelConfigurationFile.FileName}, or take out of the checkpoint what is of no use.");
    }

    /// <summary>Builds a discrete VAE with new weights, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>; see <see cref="Configure"/>.</param>
    /// <param name="seed">Decides on the weights.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration is malformed.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported.</exception>
    public static DiscreteVaeModel Create(JsonObject configuration, long seed, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        using var generator = new Generator((ulong)seed);
        return new DiscreteVaeModel(
            configuration,
            Build(configuration, "The configuration", WeightSource.Initialized(ScalarType.Float32, device ?? CPU, generator)));
    }

    /// <summary>A configuration for <see cref="Create"/>: DALL-E's network, of its size where not said otherwise.</summary>
    /// <param name="imageSize">Pixels along a picture's side: a multiple of 2 to the power of <paramref name="groups"/> less 1.</param>
    /// <param name="codebookSize">Codewords.</param>
    /// <param name="groups">Groups of blocks, between which a picture is halved: a code is 2 to the power of <paramref name="groups"/>
    /// less 1 pixels wide.</param>
    /// <param name="blocksPerGroup">Blocks of a group.</param>
    /// <param name="width">Feature maps where a picture has its full size, doubled wherever it is halved; 4 or more.</param>
    /// <param name="decoderInputWidth">Of the vectors that the decoder has for codewords.</param>
    /// <param name="margin">By how much pixels are moved from 0 and 1 to the middle.</param>
    public static JsonObject Configure(
        int imageSize = 256, int codebookSize = 8192, int groups = 4, int blocksPerGroup = 2, int width = 256, int decoderInputWidth = 128,
        double margin = 0.1) => new DalleVaeConfiguration
        {
            ImageSize = imageSize,
            Groups = groups,
            Margin = margin,
            CodebookSize = codebookSize,
            EncoderWidth = width,
            EncoderBlocks = blocksPerGroup,
            DecoderInputWidth = decoderInputWidth,
            DecoderWidth = width,
            DecoderBlocks = blocksPerGroup,
        }.ToJson();

    /// <inheritdoc/>
    public override bool IsEmbedding(string parameterName) => parameterName == "codebook.weight";

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The codec is disposed.</exception>
    public override Tensor Encode(Tensor images)
    {
        CheckImages(images);
        using var hold = Hold();
        return InParts(
            images, Layout.NumbersPerPixel * images.shape[2] * images.shape[3],
            part => Layout.Logits(Layout.Normalize(part.to(Device))).argmax(1).flatten(1));
    }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The codec is disposed.</exception>
    public override Tensor Decode(Tensor codes, int? rows = null)
    {
        var height = CheckCodes(codes, rows);
        using var hold = Hold();
        return InParts(
            codes, Layout.NumbersPerPixel * DownsamplingFactor * DownsamplingFactor * codes.shape[1],
            part => Layout.ToImages(Layout.DecodeCodes(part.to(Device).view(part.shape[0], height, -1))));
    }

    /// <summary>Of which kind a checkpoint is, by the names of its tensors; null for none.</summary>
    internal static string? ArchitectureOf(Checkpoint checkpoint) =>
        checkpoint.Tensors.ContainsKey("encoder.blocks.input.w") ? DalleVaeConfiguration.Architecture
        : checkpoint.Tensors.ContainsKey("codebook.weight") && checkpoint.Tensors.ContainsKey("encoder.0.0.weight")
            ? ReplicatedVaeConfiguration.Architecture : null;

    /// <summary>A configuration with what it does not tell of sizes from the tensors.</summary>
    private static JsonObject Complete(JsonObject? configuration, Checkpoint checkpoint, string origin)
    {
        var complete = configuration?.DeepClone().AsObject() ?? [];
        complete["architecture"] ??= ArchitectureOf(checkpoint) ?? throw new InvalidDataException(
            $"{origin} holds no discrete VAE: it has neither tensors of DALL-E's, such as 'encoder.blocks.input.w', nor those of "
            + "dalle-pytorch's, such as 'codebook.weight'.");
        if (complete["architecture"]!.ToString() != ReplicatedVaeConfiguration.Architecture)
        {
            Fill(complete, DalleVaeConfiguration.OfShapes(checkpoint));
            return complete;
        }

        var arguments = configuration is null || complete.ContainsKey(ReplicatedVaeConfiguration.Arguments)
            ? complete[ReplicatedVaeConfiguration.Arguments] ??= new JsonObject() : complete;
        if (arguments is JsonObject entries)
            Fill(entries, ReplicatedVaeConfiguration.OfShapes(checkpoint));
        return complete;
    }

    private static void Fill(JsonObject target, JsonObject source)
    {
        foreach (var (key, value) in source)
        {
            if (target[key] is JsonObject inner && value is JsonObject entries)
                Fill(inner, entries);
            else if (target[key] is null && value is not null)
                target[key] = value.DeepClone();
        }
    }

    private static DiscreteVaeLayout Build(JsonObject configuration, string origin, WeightSource weights) =>
        configuration["architecture"]?.ToString() switch
        {
            DalleVaeConfiguration.Architecture => DalleVae.Of(weights, DalleVaeConfiguration.Read(configuration, origin)),
            ReplicatedVaeConfiguration.Architecture => ReplicatedVae.Of(weights, ReplicatedVaeConfiguration.Read(configuration, origin)),
            var other => throw new NotSupportedException(
                $"{origin}: architecture is '{other}'; discrete VAEs are '{DalleVaeConfiguration.Architecture}' (DALL-E's) and "
                + $"'{ReplicatedVaeConfiguration.Architecture}' (dalle-pytorch's)."),
        };
}
