namespace MLTransfer.Torch.Generation;

/// <summary>The options that a checkpoint publishes. Where options come from makes them no others: all values are equal.</summary>
/// <param name="options">What <c>generation_config.json</c> says.</param>
internal readonly struct PublishedOptions(GenerationOptions options) : IEquatable<PublishedOptions>
{
    /// <summary>Null where options were not read of a checkpoint.</summary>
    public GenerationOptions? Options { get; } = options;

    public bool Equals(PublishedOptions other) => true;

    public override bool Equals(object? obj) => obj is PublishedOptions;

    public override int GetHashCode() => 0;
}
