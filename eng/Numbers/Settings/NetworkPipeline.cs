namespace Numbers.Settings;

/// <summary>What the network pipeline's options are set to.</summary>
/// <param name="Layers">A name that <c>Network.Layers</c> knows.</param>
internal sealed record NetworkPipeline(string Layers)
{
    /// <summary>"features" or "layers" of an ONNX file, or "module" for a class of this program; null for none.</summary>
    public string? Base { get; init; }

    public string? BaseFile { get; init; }

    /// <summary>The operator of an ONNX file's last node that is kept; null for all nodes.</summary>
    public string? BaseOutputOf { get; init; }

    /// <summary>"all", "none", or how many layers are trained.</summary>
    public string Freezing { get; init; } = "all";

    public long[]? InputShape { get; init; }

    public string InputScaling { get; init; } = "ZeroToOne";

    public double ValidationFraction { get; init; }

    public NetworkTraining Training { get; init; } = new();

    public long? Seed { get; init; }
}
