namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Forbids tokens that would complete a run of tokens that occurred already.</summary>
internal sealed class NoRepeatNgramProcessor(int size) : LogitsProcessor
{
    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        if (tokens.Length < size)
            return;
        var prefix = tokens[(tokens.Length + 1 - size)..];
        for (var start = 0; start + size <= tokens.Length; start++)
        {
            if (tokens.Slice(start, prefix.Length).SequenceEqual(prefix))
                logits[tokens[start + prefix.Length]] = float.NegativeInfinity;
        }
    }
}
