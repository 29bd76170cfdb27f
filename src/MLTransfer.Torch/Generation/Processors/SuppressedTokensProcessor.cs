namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Forbids tokens, everywhere or as the first new one.</summary>
/// <param name="ids">The tokens.</param>
/// <param name="isFirstForced">Whether the first token after a start that stands alone is forced, so that the next one counts as first;
/// null where the tokens are forbidden everywhere.</param>
internal sealed class SuppressedTokensProcessor(int[] ids, bool? isFirstForced = null) : LogitsProcessor
{
    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        if (isFirstForced is { } forced && tokens.Length != promptLength + (forced && promptLength == 1 ? 1 : 0))
            return;
        foreach (var id in ids)
            logits[id] = float.NegativeInfinity;
    }
}
