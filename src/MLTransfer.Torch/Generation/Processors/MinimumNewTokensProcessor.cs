namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Forbids ending before there are enough new tokens.</summary>
internal sealed class MinimumNewTokensProcessor(int minimum, int[] endOfSequenceIds) : LogitsProcessor
{
    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        if (tokens.Length - promptLength >= minimum)
            return;
        foreach (var id in endOfSequenceIds)
            logits[id] = float.NegativeInfinity;
    }
}
