using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>One way to continue prompts greedily, with a model that stays loaded.</summary>
/// <param name="name">The name in tables.</param>
/// <param name="weightType">The type of the weights.</param>
internal abstract class DecodingVariant(string name, ScalarType weightType) : IDisposable
{
    public string Name => name;

    public ScalarType WeightType => weightType;

    /// <summary>Gives the new tokens of each prompt; the prompts are of one length and read together.</summary>
    public abstract int[][] Decode(int[][] prompts, int newTokens);

    public abstract void Dispose();
}
