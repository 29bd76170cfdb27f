using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.StyleGan2;

/// <summary>
/// A generator with the discriminator that it was trained against. On disk it is a folder with <c>config.json</c>, the sizes as keyword
/// arguments of the authors' PyTorch release, <c>generator.safetensors</c> and <c>discriminator.safetensors</c>, with that release's tensor
/// names.
/// </summary>
public sealed class StyleGan2Model : GenerativeNetwork
{
    /// <summary>The file of the generator's weights, in released checkpoints those of <c>G_ema</c>.</summary>
    public const string GeneratorFile = "generator.safetensors";

    /// <summary>The file of the discriminator's weights.</summary>
    public const string DiscriminatorFile = "discriminator.safetensors";

    /// <summary>The most classes that a model takes.</summary>
    internal const int MaximumLabelWidth = StyleGan2Configuration.MaximumWidth;

    private StyleGan2Model(JsonObject configuration, StyleGan2Generator generator, StyleGan2Discriminator discriminator)
        : base(StyleGan2Configuration.Architecture, configuration)
    {
        (Generator, Discriminator) = (generator, discriminator);
        generator.Uses = discriminator.Uses = Uses; // disposing this object disposes all modules under it
        register_module("generator", generator);
        register_module("discriminator", discriminator);
        eval();
    }

    /// <summary>Makes images. It is part of this object, which is what to dispose.</summary>
    public StyleGan2Generator Generator { get; }

    /// <summary>
    /// Tells real images from made ones; what transfer learning starts from as much as from the generator. It is part of this object, which
    /// is what to dispose.
    /// </summary>
    public StyleGan2Discriminator Discriminator { get; }

    /// <summary>Loads both networks in float32.</summary>
    /// <param name="folder">Has <c>config.json</c>, <see cref="GeneratorFile"/> and <see cref="DiscriminatorFile"/>.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="FileNotFoundException">A file is missing; the message tells how to convert a released <c>.pkl</c>.</exception>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other, or a file is
    /// given.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for a variant that is not supported.</exception>
    public static StyleGan2Model Load(string folder, Device? device = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (File.Exists(folder))
            throw new InvalidDataException(
                $"'{folder}' is a file; expected a folder with config.json, {GeneratorFile} and {DiscriminatorFile}. {HowToConvert}");
        var configuration = ModelConfigurationFile.Read(folder);
        using var generator = OpenWeights(folder, GeneratorFile);
        using var discriminator = OpenWeights(folder, DiscriminatorFile);
        return Load(configuration, generator, discriminator, Path.Combine(folder, ModelConfigurationFile.FileName), device);
    }

    /// <summary>Builds both networks from a configuration and named tensors.</summary>
    /// <param name="configuration">The content of <c>config.json</c>.</param>
    /// <param name="generator">The generator's weights. May be disposed after the call.</param>
    /// <param name="discriminator">The discriminator's weights. May be disposed after the call.</param>
    /// <param name="origin">What error messages call the configuration.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration or the weights are malformed or do not fit each other.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for a variant that is not supported.</exception>
    public static StyleGan2Model Load(
        JsonObject configuration, Checkpoint generator, Checkpoint discriminator, string origin = "config.json", Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(discriminator);
        return Build(configuration, origin,
            WeightSource.FromCheckpoint(generator, generator.Location, find: null, ScalarType.Float32, device ?? CPU),
            WeightSource.FromCheckpoint(discriminator, discriminator.Location, find: null, ScalarType.Float32, device ?? CPU));
    }

    /// <summary>Builds both networks with new weights, drawn with libtorch's generator (seed it with <c>torch.manual_seed</c>).</summary>
    /// <param name="configuration">The content of <c>config.json</c>; see <see cref="Configure"/>.</param>
    /// <param name="device">The CPU where null.</param>
    /// <exception cref="InvalidDataException">The configuration is malformed.</exception>
    /// <exception cref="NotSupportedException">The configuration asks for a variant that is not supported.</exception>
    public static StyleGan2Model Create(JsonObject configuration, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var weights = WeightSource.Initialized(ScalarType.Float32, device ?? CPU);
        return Build(configuration, "The configuration", weights, weights);
    }

    /// <summary>
    /// A model that takes labels, made of this one, which takes none and stays as it is: the generator's label embedding and its part of
    /// the mapping network's first layer, the discriminator's mapping network and its last layer are new; all else is copied.
    /// </summary>
    /// <param name="labelWidth">The number of classes.</param>
    /// <param name="seed">Decides on the new weights, which start as those of <see cref="Create"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of classes is not usable.</exception>
    /// <exception cref="InvalidOperationException">The model takes labels already.</exception>
    public StyleGan2Model WithLabels(int labelWidth, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(labelWidth, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(labelWidth, MaximumLabelWidth);
        if (Generator.LabelWidth > 0)
            throw new InvalidOperationException($"The model takes labels of {Generator.LabelWidth} classes already.");
        var json = Configuration.DeepClone().AsObject();
        foreach (var network in (string[])["generator", "discriminator"])
            json[network]!["c_dim"] = labelWidth;
        using var generator = new Generator((ulong)seed);
        var initialized = WeightSource.Initialized(ScalarType.Float32, Generator.Device, generator);
        return Build(json, "The configuration", new LabelledWeightSource(Generator, initialized),
            new LabelledWeightSource(Discriminator, initialized));
    }

    /// <summary>A configuration for <see cref="Create"/>.</summary>
    /// <param name="resolution">The width and height of images: a power of two from 8.</param>
    /// <param name="channelBase">Feature maps times resolution; 32768 in the paper's large networks, 16384 in its small ones.</param>
    /// <param name="channelMaximum">The most feature maps of a layer.</param>
    /// <param name="latentWidth">The width of z and w.</param>
    /// <param name="mappingLayers">The layers from z to w.</param>
    /// <param name="labelWidth">The number of classes; 0 for no labels.</param>
    /// <param name="imageChannels">3 for RGB.</param>
    public static JsonObject Configure(
        int resolution, int channelBase = 32768, int channelMaximum = 512, int latentWidth = 512, int mappingLayers = 8, int labelWidth = 0,
        int imageChannels = 3) => new()
        {
            ["architecture"] = StyleGan2Configuration.Architecture,
            ["generator"] = new JsonObject
            {
                ["z_dim"] = latentWidth,
                ["c_dim"] = labelWidth,
                ["w_dim"] = latentWidth,
                ["img_resolution"] = resolution,
                ["img_channels"] = imageChannels,
                ["mapping_kwargs"] = new JsonObject { ["num_layers"] = mappingLayers },
                ["synthesis_kwargs"] = new JsonObject { ["channel_base"] = channelBase, ["channel_max"] = channelMaximum },
            },
            ["discriminator"] = new JsonObject
            {
                ["c_dim"] = labelWidth,
                ["img_resolution"] = resolution,
                ["img_channels"] = imageChannels,
                ["channel_base"] = channelBase,
                ["channel_max"] = channelMaximum,
            },
        };

    /// <inheritdoc/>
    public override IReadOnlyList<string> BlockPrefixes =>
        [.. named_parameters().Select(p => p.name.Split('.')).Where(parts => parts is ["generator", "synthesis", _, _, ..])
            .Select(parts => $"generator.synthesis.{parts[2]}.").Distinct()];

    /// <summary>A model on the CPU with weights of its own, as one that is saved and loaded again.</summary>
    internal StyleGan2Model Copy(Device? device = null)
    {
        using var generator = new TensorCheckpoint("the generator in memory", CheckpointTensors(Generator));
        using var discriminator = new TensorCheckpoint("the discriminator in memory", CheckpointTensors(Discriminator));
        return Load(Configuration.DeepClone().AsObject(), generator, discriminator, device: device);
    }

    /// <summary>Writes <c>config.json</c> and both networks' weights.</summary>
    /// <inheritdoc/>
    public override void Save(string folder, ScalarType? storeAs = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using var hold = Hold();
        ModelConfigurationFile.Write(folder, Configuration, storeAs ?? ScalarType.Float32);
        SafetensorsWriter.Write(Path.Combine(folder, GeneratorFile), CheckpointTensors(Generator), storeAs: storeAs);
        SafetensorsWriter.Write(Path.Combine(folder, DiscriminatorFile), CheckpointTensors(Discriminator), storeAs: storeAs);
    }

    /// <summary>A network's parameters and buffers under their names in checkpoints.</summary>
    public static IEnumerable<KeyValuePair<string, Tensor>> CheckpointTensors(nn.Module network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return network.named_parameters().Select(p => KeyValuePair.Create(p.name, (Tensor)p.parameter))
            .Concat(network.named_buffers().Select(b => KeyValuePair.Create(b.name, b.buffer)));
    }

    private static StyleGan2Model Build(JsonObject json, string origin, WeightSource generatorWeights, WeightSource discriminatorWeights)
    {
        var configuration = StyleGan2Configuration.Parse(json, origin);
        var generator = new StyleGan2Generator(configuration.Generator, generatorWeights);
        try
        {
            return new StyleGan2Model(json, generator, new StyleGan2Discriminator(configuration.Discriminator, discriminatorWeights));
        }
        catch
        {
            generator.Dispose();
            throw;
        }
    }

    private static SafetensorsFile OpenWeights(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        return File.Exists(path) ? SafetensorsFile.Open(path) : throw new FileNotFoundException(
            $"{folder} has no {file}. {HowToConvert}", path);
    }

    /// <summary>For people who have what the authors released.</summary>
    internal const string HowToConvert =
        "A released .pkl holds Python code along with the weights and is not read. If you trust it, "
            + "load it in Python with the authors' legacy.load_network_pkl and save "
        + $"G_ema.state_dict() as {GeneratorFile} and D.state_dict() as {DiscriminatorFile} with safetensors.torch.save_file; "
        + "write config.json from G_ema.init_kwargs and D.init_kwargs: {\"architecture\": \"stylegan2\", \"generator\": {...}, "
        + "\"discriminator\": {...}}.";
}
