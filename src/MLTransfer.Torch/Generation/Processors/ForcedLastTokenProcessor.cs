namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Leaves some tokens alone to be the last of the most new ones.</summary>
internal sealed class ForcedLastTokenProcessor(int[] ids, int maximumNewTokens) : LogitsProcessor
{
    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        if (tokens.Length - promptLength == maximumNewTokens - 1)
            Force(logits, ids);
    }
}
