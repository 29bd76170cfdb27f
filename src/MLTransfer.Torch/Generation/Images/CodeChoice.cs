using MLTransfer.Torch.Generation.Processors;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Generation.Images;

/// <summary>How a code is chosen of logits. For one thread.</summary>
/// <param name="sampling">What is done to logits.</param>
/// <param name="codes">The number of codes.</param>
internal sealed class CodeChoice(GenerationOptions sampling, int codes)
{
    private readonly LogitsPipeline _processors = LogitsPipeline.Create(sampling, codes, endOfSequenceIds: []);
    private readonly TokenChooser _chooser = new(codes);
    private readonly float[] _weights = new float[codes];

    /// <param name="logits">[codes]; they are changed.</param>
    /// <param name="random">The row's stream.</param>
    public int Choose(Span<float> logits, ref SplitMix64 random)
    {
        _processors.Apply(logits, [], promptLength: 0);
        return (sampling.Sample ? _chooser.Draw(logits, ref random) : _chooser.Largest(logits)).Token;
    }

    /// <summary>ln p of a code, by the logits as they are.</summary>
    public double LogProbability(ReadOnlySpan<float> logits, int code)
    {
        var maximum = Softmax.Maximum(logits);
        return logits[code] - maximum - Math.Log(Softmax.Exponentials(logits, maximum, _weights));
    }
}
