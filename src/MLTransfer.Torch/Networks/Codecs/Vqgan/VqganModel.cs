using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.Vqgan;

/// <summary>
/// A codec of pictures (arXiv 2012.09841): an encoder makes a vector of each patch, which becomes the number of the nearest codeword; a
/// decoder makes a picture of the codewords. Read are <c>last.ckpt</c> with <c>model.yaml</c> of taming-transformers, and
/// <c>config.json</c> with safetensors, which it is saved as.
/// </summary>
/// <remarks>Weights are float32, and it is not trained here: dropout, which its configuration may name, is of training. A picture is
/// computed alone, so that no bit of it depends on the others of its batch.</remarks>
public sealed class VqganModel : ImageCodec
{
    private readonly VqganConfiguration _configuration;
    private readonly VqganEncoder? _encoder;
    private readonly ImageConvolution? _beforeQuantizer;
    private readonly ImageConvolution _afterQuantizer;
    private readonly VqganDecoder _decoder;

    private VqganModel(JsonObject json, VqganConfiguration configuration, WeightSource weights)
        : base(VqganConfiguration.Architecture, json)
    {
        _configuration = configuration;
        var (width, latents) = (configuration.CodewordWidth, configuration.LatentChannels);
        if (configuration.HasEncoder)
        {
            register_module("encoder", _encoder = new(weights.Scope("encoder"), configuration));
            register_module("quant_conv", _beforeQuantizer = new(weights.Scope("quant_conv"), latents, width, kernel: 1));
        }

        Quantizer = new(this, configuration.HasEncoder ? "quantize.embedding" : "embedding", weights, configuration);
        register_module("post_quant_conv", _afterQuantizer = new(weights.Scope("post_quant_conv"), width, latents, kernel: 1));
        register_module("decoder", _decoder = new(weights.Scope("decoder"), configuration));
        eval();
    }

    /// <inheritdoc/>
    public override int ImageSize => _configuration.Resolution / DownsamplingFactor * DownsamplingFactor;

    /// <inheritdoc/>
    public override int DownsamplingFactor => _configuration.Factor;

    /// <inheritdoc/>
    public override int CodebookSize => _configuration.CodebookSize;

    /// <inheritdoc/>
    public override bool CanEncode => _configuration.HasEncoder;

    /// <inheritdoc/>
    public override IReadOnlyList<string> BlockPrefixes =>
        [.. _encoder?.Names.Select(name => $"encoder.{name}.") ?? [], .. _decoder.Names.Select(name => $"decoder.{name}.")];

    /// <summary>Whether it computes with pixels in [0, 1], as the VQGAN of DALL-E mini does; else in [-1, 1].</summary>
    internal bool ComputesInUnitRange => _configuration.ComputesInUnitRange;

    internal VectorQuantizer Quantizer { get; }

    /// <summary>Loads a codec with its encoder, in evaluation mode.</summary>
    /// <param name="folder">Has <c>config.json</c> and weights (see <see cref="Checkpoint.Open"/>), or <c>model.yaml</c> and
    /// <c>last.ckpt</c>, of which what only training needs is left alone.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    public static VqganModel Load(string folder, Device? device = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var (configuration, path) = VqganFiles.ReadConfiguration(folder);
        var sizes = VqganConfiguration.Read(configuration, path);
        using var weights = VqganFiles.OpenWeights(folder);
        return Load(configuration, sizes, weights, weights.Location, prefix: "", device);
    }

    /// <summary>Builds a codec from a configuration and named tensors, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="weights">The weights. It may be disposed after the call.</param>
    /// <param name="origin">The folder or file, for error messages.</param>
    /// <param name="prefix">What stands before the names of the codec's tensors; others are left alone.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported; the message names it.</exception>
    public static VqganModel Load(
        JsonObject configuration, Checkpoint weights, string origin = ModelConfigurationFile.FileName, string prefix = "",
        Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(prefix);
        return Load(configuration, VqganConfiguration.Read(configuration, origin), weights, origin, prefix, device);
    }

    /// <summary>Builds a codec with new weights, in evaluation mode.</summary>
    /// <param name="configuration">The content of <c>config.json</c>; see <see cref="Configure"/>.</param>
    /// <param name="seed">Decides on the weights.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration is malformed.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for what is not supported.</exception>
    public static VqganModel Create(JsonObject configuration, long seed, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var read = VqganConfiguration.Read(configuration, "The configuration");
        using var generator = new Generator((ulong)seed);
        return new VqganModel(configuration, read, WeightSource.Initialized(ScalarType.Float32, device ?? CPU, generator));
    }

    /// <summary>A configuration for <see cref="Create"/>, in the entries of taming-transformers.</summary>
    /// <param name="resolution">The side of the pictures, in pixels.</param>
    /// <param name="codebookSize">Codewords.</param>
    /// <param name="codewordWidth">The width of a codeword.</param>
    /// <param name="channels">Feature maps that the multipliers count; a multiple of 32.</param>
    /// <param name="multipliers">One for each level; each level but the last halves the side.</param>
    /// <param name="residualBlocks">Residual blocks of a level.</param>
    /// <param name="attentionResolutions">The sides at which there is attention; none where null.</param>
    /// <param name="latentChannels">Feature maps beside the codes; as wide as codewords where null.</param>
    public static JsonObject Configure(
        int resolution, int codebookSize, int codewordWidth = 256, int channels = 128, IReadOnlyList<int>? multipliers = null,
        int residualBlocks = 2, IReadOnlyList<int>? attentionResolutions = null, int? latentChannels = null) => new()
    {
        ["architecture"] = VqganConfiguration.Architecture,
        ["embed_dim"] = codewordWidth,
        ["n_embed"] = codebookSize,
        ["ddconfig"] = new JsonObject
        {
            ["double_z"] = false,
            ["z_channels"] = latentChannels ?? codewordWidth,
            ["resolution"] = resolution,
            ["in_channels"] = 3,
            ["out_ch"] = 3,
            ["ch"] = channels,
            ["ch_mult"] = new JsonArray([.. (multipliers ?? [1, 1, 2, 2, 4]).Select(multiplier => JsonValue.Create(multiplier))]),
            ["num_res_blocks"] = residualBlocks,
            ["attn_resolutions"] = new JsonArray([.. (attentionResolutions ?? []).Select(side => JsonValue.Create(side))]),
            ["dropout"] = 0.0,
        },
    };

    /// <inheritdoc/>
    public override Tensor Encode(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var hold = Hold();
        if (!CanEncode)
            throw new NotSupportedException("This VQGAN has a decoder alone. Use one with its encoder.");
        CheckImages(images);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        return cat([.. images.split(1, 0).Select(image => Alone(() => Quantizer.Nearest(Embed(ToNetwork(image)))))], 0)
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Decode(Tensor codes, int? rows = null)
    {
        ArgumentNullException.ThrowIfNull(codes);
        using var hold = Hold();
        var height = CheckCodes(codes, rows);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var placed = codes.to(Device);
        return cat([.. placed.split(1, 0).Select(row => Alone(() => ToPixels(Reconstruct(Quantizer.Look(row, height)))))], 0)
            .MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override bool IsEmbedding(string parameterName) => parameterName == Quantizer.TableName;

    /// <inheritdoc/>
    internal override Checkpoint OpenWeights(string folder) => VqganFiles.OpenWeights(folder);

    /// <summary>What is quantized: [B, 3, H, W], in the range that the network computes in, to [B, D, H / F, W / F].</summary>
    internal Tensor Embed(Tensor images)
    {
        using var latents = _encoder!.call(images);
        return _beforeQuantizer!.call(latents);
    }

    /// <summary>[B, D, h, w] to pictures in the range that the network computes in, not cut off there: [B, 3, h F, w F].</summary>
    internal Tensor Reconstruct(Tensor codewords)
    {
        using var latents = _afterQuantizer.call(codewords);
        return _decoder.call(latents);
    }

    /// <summary>A codec with weights of its own, as one that is saved and loaded again.</summary>
    /// <param name="computesInUnitRange">Whether the copy takes its pixels to be in [0, 1]; as this one does where null.</param>
    /// <param name="device">The CPU where null.</param>
    internal VqganModel Copy(bool? computesInUnitRange = null, Device? device = null)
    {
        using var hold = Hold();
        using var weights = new TensorCheckpoint("the VQGAN in memory", CheckpointTensors());
        var configuration = Configuration.DeepClone().AsObject();
        if (computesInUnitRange is { } isUnit)
            configuration[VqganConfiguration.UnitRange] = isUnit;
        return Load(configuration, weights, weights.Location, device: device);
    }

    private static VqganModel Load(
        JsonObject configuration, VqganConfiguration sizes, Checkpoint weights, string origin, string prefix, Device? device)
    {
        var codec = new VqganModel(configuration, sizes, WeightSource.FromCheckpoint(
            weights, origin, name => weights.Tensors.ContainsKey(prefix + name) ? prefix + name : null, ScalarType.Float32, device ?? CPU));
        try
        {
            VqganFiles.RefuseLeftover(weights, prefix, codec.CheckpointTensors().Select(tensor => tensor.Key), origin);
            return codec;
        }
        catch
        {
            codec.Dispose();
            throw;
        }
    }

    private static Tensor Alone(Func<Tensor> compute)
    {
        using var scope = NewDisposeScope();
        return compute().MoveToOuterDisposeScope();
    }

    private Tensor ToNetwork(Tensor image) => ComputesInUnitRange ? image.to(Device) : image.to(Device) * 2 - 1;

    private Tensor ToPixels(Tensor image) => (ComputesInUnitRange ? image : (image + 1) / 2).clamp(0, 1);
}
