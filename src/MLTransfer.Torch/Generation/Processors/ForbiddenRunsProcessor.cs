namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Forbids the token that would complete one of some runs.</summary>
internal sealed class ForbiddenRunsProcessor(int[][] runs) : LogitsProcessor
{
    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        foreach (ReadOnlySpan<int> run in runs)
        {
            // As the reference has it, a run of several tokens counts once there are as many tokens as it has.
            if (run.Length == 1 || (tokens.Length >= run.Length && tokens.EndsWith(run[..^1])))
                logits[run[^1]] = float.NegativeInfinity;
        }
    }
}
