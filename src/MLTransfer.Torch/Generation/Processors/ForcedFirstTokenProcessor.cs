namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Leaves one token alone to follow the first of a sequence.</summary>
internal sealed class ForcedFirstTokenProcessor(int id) : LogitsProcessor
{
    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        if (tokens.Length == 1)
            Force(logits, [id]);
    }
}
