using System.Numerics;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Divides all logits.</summary>
internal sealed class TemperatureProcessor(double temperature) : LogitsProcessor
{
    private readonly float _temperature = (float)temperature;

    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        foreach (ref var vector in vectors)
            vector /= _temperature;
        foreach (ref var logit in logits[(vectors.Length * Vector<float>.Count)..])
            logit /= _temperature;
    }
}
