namespace MLTransfer.Torch.Generation.Processors;

/// <summary>
/// Keeps the fewest most probable tokens whose probabilities reach a sum; of equal ones that with the higher id (arXiv 1904.09751).
/// </summary>
internal sealed class TopPProcessor(double sum, int vocabularySize) : LogitsProcessor
{
    private readonly float[] _weights = new float[vocabularySize];
    private readonly ulong[] _keys = new ulong[vocabularySize];

    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        // As many of the least probable tokens are removed as have no more than this weight together.
        var limit = (1 - sum) * Softmax.Exponentials(logits, Softmax.Maximum(logits), _weights);
        for (var token = 0; token < logits.Length; token++)
            _keys[token] = SortableKey.Create(logits[token], token);
        var first = MassSelection.FindCrossing(_keys.AsSpan(0, logits.Length), _weights, limit);
        for (var token = 0; token < logits.Length; token++)
        {
            if (SortableKey.Create(logits[token], token) < first)
                logits[token] = float.NegativeInfinity;
        }
    }
}
