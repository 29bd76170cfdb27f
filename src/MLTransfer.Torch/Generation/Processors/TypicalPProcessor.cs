namespace MLTransfer.Torch.Generation.Processors;

/// <summary>
/// Keeps the tokens whose information, -ln p, is closest to its mean, the entropy, as many as have a probability together, and those
/// equally close as the last (arXiv 2202.00666).
/// </summary>
internal sealed class TypicalPProcessor(double mass, int vocabularySize) : LogitsProcessor
{
    private readonly float[] _weights = new float[vocabularySize];
    private readonly ulong[] _keys = new ulong[vocabularySize];

    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        var maximum = Softmax.Maximum(logits);
        var total = Softmax.Exponentials(logits, maximum, _weights);
        var normalizer = maximum + Math.Log(total);
        double entropy = 0;
        for (var token = 0; token < logits.Length; token++)
        {
            if (_weights[token] > 0)
                entropy -= _weights[token] / total * (logits[token] - normalizer);
        }

        for (var token = 0; token < logits.Length; token++)
            _keys[token] = SortableKey.Create(Distance(logits[token]), token);

        // The last token kept is the first with which the sum reaches the mass: >= mass is > the number before it.
        var last = MassSelection.FindCrossing(_keys.AsSpan(0, logits.Length), _weights, Math.BitDecrement(mass * total));
        var threshold = SortableKey.Value(last);
        foreach (ref var logit in logits)
        {
            if (Distance(logit) > threshold)
                logit = float.NegativeInfinity;
        }

        float Distance(float logit) => (float)Math.Abs(normalizer - logit - entropy);
    }
}
