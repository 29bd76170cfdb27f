namespace MLTransfer.Benchmarks.Workloads;

/// <summary>One way to continue prompts greedily, with a model that stays loaded.</summary>
/// <param name="name">The name in tables.</param>
/// <param name="weights">What it computes with.</param>
internal abstract class DecodingVariant(string name, DecodingWeights weights) : IDisposable
{
    public string Name => name;

    public DecodingWeights Weights => weights;

    /// <summary>Gives the new tokens of each prompt; the prompts are of one length and read together.</summary>
    public abstract int[][] Decode(int[][] prompts, int newTokens);

    public abstract void Dispose();
}
