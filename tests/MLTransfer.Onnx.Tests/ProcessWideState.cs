using Xunit;

namespace MLTransfer.Onnx.Tests;

/// <summary>Tests that look at what all threads share, libtorch's random generator and its count of tensors, and so run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessWideState
{
    public const string Name = "Process-wide state";
}
