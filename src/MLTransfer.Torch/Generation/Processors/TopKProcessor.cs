namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Keeps the k largest logits, and those equal to the smallest of them.</summary>
internal sealed class TopKProcessor(int k) : LogitsProcessor
{
    private readonly LargestValues _largest = new(k);

    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        if (logits.Length <= k)
            return;
        _largest.Clear();
        _largest.Add(logits, 0);
        var threshold = SortableKey.Value(_largest.Result()[^1]);
        foreach (ref var logit in logits)
        {
            if (logit < threshold)
                logit = float.NegativeInfinity;
        }
    }
}
