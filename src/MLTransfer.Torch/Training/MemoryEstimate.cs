using System.Globalization;

namespace MLTransfer.Torch.Training;

/// <summary>The most resident memory that the process takes while a network is trained, in bytes, by what takes it.</summary>
public sealed record MemoryEstimate
{
    /// <summary>
    /// The network's weights, with the copies in the type of matrix products and those that loading and converting them takes.
    /// </summary>
    public required long Weights { get; init; }

    /// <summary>The gradients of what is trained.</summary>
    public required long Gradients { get; init; }

    /// <summary>What the optimizer keeps of each trained number.</summary>
    public required long Optimizer { get; init; }

    /// <summary>
    /// What a pass through a batch keeps for its backward pass, the logits that are held at once, and the gaps in the heap between them,
    /// less what gradients lie in again.
    /// </summary>
    public required long Activations { get; init; }

    /// <summary>The rest: .NET, libtorch, their code, and whatever else the process has in memory already, such as the data.</summary>
    public required long Runtime { get; init; }

    /// <summary>All of it: the peak.</summary>
    public long Total => Weights + Gradients + Optimizer + Activations + Runtime;

    /// <summary>The total and its parts in gigabytes.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Text(Total)} (weights {Text(Weights)}, gradients {Text(Gradients)}, optimizer {Text(Optimizer)}, "
        + $"activations {Text(Activations)}, runtime {Text(Runtime)})");

    /// <summary>Bytes in gigabytes of 10^9, such as <c>2.53 GB</c>.</summary>
    internal static string Text(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.00} GB");
}
