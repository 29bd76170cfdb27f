namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Keeps tokens that have at least a share of the most probable token's probability (arXiv 2407.01082).</summary>
internal sealed class MinPProcessor(double share) : LogitsProcessor
{
    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        var threshold = Softmax.Maximum(logits) + Math.Log(share); // exp(logit - maximum) < share
        foreach (ref var logit in logits)
        {
            if (logit < threshold)
                logit = float.NegativeInfinity;
        }
    }
}
