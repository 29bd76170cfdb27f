using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Networks.Codecs.DiscreteVae;

/// <summary>Sizes of the <c>DiscreteVAE</c> of dalle-pytorch, under the names and with the defaults of its class.</summary>
internal sealed record ReplicatedVaeConfiguration
{
    public const string Architecture = "discrete-vae";

    /// <summary>The entry that has the arguments of the class, in the file of the pickled form too.</summary>
    public const string Arguments = "hparams";

    private const string Normalization = "normalization";

    private const int MaximumLayers = 12;

    public required int ImageSize { get; init; }

    /// <summary>How often a picture is halved.</summary>
    public required int Layers { get; init; }

    public required int CodebookSize { get; init; }

    /// <summary>Of a codeword's vector.</summary>
    public required int CodebookWidth { get; init; }

    /// <summary>Feature maps.</summary>
    public required int HiddenWidth { get; init; }

    public required int ResidualBlocks { get; init; }

    /// <summary>What is subtracted of each channel, and what the difference is divided by; null for pictures as they are.</summary>
    public required (IReadOnlyList<double> Means, IReadOnlyList<double> Deviations)? Normalizes { get; init; }

    public required DiscreteVaeObjective Objective { get; init; }

    /// <summary>Reads the file's content, in which arguments may be the whole.</summary>
    /// <exception cref="InvalidDataException">A value is malformed.</exception>
    /// <exception cref="NotSupportedException">An entry asks for what is not supported, or is not known.</exception>
    public static ReplicatedVaeConfiguration Read(JsonObject json, string origin)
    {
        var outer = new ConfigurationReader(json, origin);
        outer.Require("architecture", Architecture);
        var reader = outer.Object(Arguments) ?? outer;
        reader.Require("channels", 3);
        var layers = reader.Size("num_layers", 3);
        if (layers > MaximumLayers)
            throw reader.Invalid($"num_layers is {layers}; expected 1 to {MaximumLayers}");
        var configuration = new ReplicatedVaeConfiguration
        {
            ImageSize = reader.Size("image_size", 256),
            Layers = layers,
            CodebookSize = reader.Size("num_tokens", 512),
            CodebookWidth = reader.Size("codebook_dim", 512),
            HiddenWidth = reader.Size("hidden_dim", 64),
            ResidualBlocks = reader.Count("num_resnet_blocks", 0),
            Normalizes = ReadNormalization(reader.Has(Normalization) || reader.IsNull(Normalization) ? reader : outer),
            Objective = new(
                reader.Flag("smooth_l1_loss", false), reader.Flag("straight_through", false), reader.Flag("reinmax", false),
                reader.Positive("temperature", 0.9), reader.Number("kl_div_loss_weight", 0)),
        };
        if (configuration.ImageSize % (1 << layers) != 0)
            throw reader.Invalid($"image_size is {configuration.ImageSize}; expected a multiple of {1 << layers}");
        if (configuration.ResidualBlocks > ConfigurationReader.MaximumLayers)
        {
            throw reader.Invalid(
                $"num_resnet_blocks is {configuration.ResidualBlocks}; expected 0 to {ConfigurationReader.MaximumLayers}");
        }

        if (configuration.Objective.KlWeight < 0)
            throw reader.Invalid($"kl_div_loss_weight is {configuration.Objective.KlWeight}; expected 0 or more");
        reader.RefuseUnread(IsHarmless);
        outer.RefuseUnread(IsHarmless);
        return configuration;
    }

    /// <summary>What the shapes of a checkpoint's tensors tell.</summary>
    public static JsonObject OfShapes(Checkpoint checkpoint)
    {
        var layers = 0;
        while (Extent($"encoder.{layers}.0.weight", 0) is not null)
            layers++;
        return new()
        {
            ["num_layers"] = layers,
            ["num_tokens"] = Extent("codebook.weight", 0),
            ["codebook_dim"] = Extent("codebook.weight", 1),
            ["hidden_dim"] = Extent("encoder.0.0.weight", 0),
            ["num_resnet_blocks"] = checkpoint.Tensors.Keys.Count(static name =>
                name.StartsWith("encoder.", StringComparison.Ordinal) && name.EndsWith(".net.0.weight", StringComparison.Ordinal)),
        };

        long? Extent(string name, int dimension) => CheckpointShapes.Extent(checkpoint, name, dimension);
    }

    private static (IReadOnlyList<double> Means, IReadOnlyList<double> Deviations)? ReadNormalization(ConfigurationReader reader)
    {
        if (reader.IsNull(Normalization))
            return null;
        if (reader.Array(Normalization) is not { } lists)
            return ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);
        var parts = new JsonObject { ["means"] = Part(0), ["deviations"] = Part(1) };
        var numbers = new ConfigurationReader(parts, $"{reader.Origin}: {Normalization}");
        if (lists.Count != 2 || numbers.Numbers("means") is not { Count: >= 3 } means
            || numbers.Numbers("deviations") is not { Count: >= 3 } deviations || deviations.Take(3).Any(static value => value <= 0))
        {
            throw reader.Invalid(
                $"{Normalization} is {lists.ToJsonString()}; expected two lists: a mean, and a deviation above 0, for each of three "
                + "channels");
        }

        return ([.. means.Take(3)], [.. deviations.Take(3)]);

        JsonNode? Part(int index) => index < lists.Count ? lists[index]?.DeepClone() : null;
    }

    private static bool IsHarmless(string key) => key is "version" or "epoch" or "seed" or "dtype" or "torch_dtype" or "architectures"
        or "_name_or_path" or "transformers_version";
}
