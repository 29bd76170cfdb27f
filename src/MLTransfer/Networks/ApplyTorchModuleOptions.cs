namespace MLTransfer;

/// <summary>How <see cref="PretrainedTorchModuleEstimator"/> gives a network its rows, and what becomes of what it gives.</summary>
public sealed class ApplyTorchModuleOptions
{
    /// <summary>
    /// The shape of a row's input without the batch, such as [3, 32, 32] for a vector column of 3072 values; null for the network's own
    /// where it has one, else the column's.
    /// </summary>
    public IReadOnlyList<long>? InputShape;

    /// <summary>How the pixels of input images become numbers.</summary>
    public ImageScaling InputScaling = ImageScaling.ZeroToOne;

    /// <summary>What the output column holds.</summary>
    public NetworkOutputKind Output = NetworkOutputKind.Vector;

    /// <summary>How the network's output becomes pixels, where <see cref="Output"/> is <see cref="NetworkOutputKind.Image"/>.</summary>
    public ImageScaling OutputScaling = ImageScaling.ZeroToOne;

    /// <summary>Rows that <c>Transform</c> computes together.</summary>
    public int TransformBatchSize = 32;

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(InputScaling);
        ArgumentNullException.ThrowIfNull(OutputScaling);
        OptionCheck.Defined(nameof(Output), Output);
        TorchModuleOptions.CheckTransformBatchSize(TransformBatchSize);
    }
}
