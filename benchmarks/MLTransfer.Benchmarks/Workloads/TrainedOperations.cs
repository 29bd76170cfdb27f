namespace MLTransfer.Benchmarks.Workloads;

/// <summary>Which operations a training step has.</summary>
internal enum TrainedOperations
{
    /// <summary>The forward pass and both products of the backward pass: 6 operations a parameter and token.</summary>
    All,

    /// <summary>Weights have no gradients: 4 operations a parameter and token; those of adapters are few.</summary>
    Adapters,

    /// <summary>Some are done twice: not counted.</summary>
    Repeated,
}
