namespace MLTransfer.Torch.Generation.Processors;

/// <summary>Makes tokens that occurred less likely, each once however often it occurred (arXiv 1909.05858).</summary>
internal sealed class RepetitionPenaltyProcessor(double penalty, int vocabularySize) : LogitsProcessor
{
    private readonly float _penalty = (float)penalty;
    private readonly int[] _lastPass = new int[vocabularySize]; // the pass that penalized a token last
    private int _pass;

    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        _pass++;
        foreach (var token in tokens)
        {
            if (_lastPass[token] == _pass)
                continue;
            _lastPass[token] = _pass;
            ref var logit = ref logits[token];
            logit = logit < 0 ? logit * _penalty : logit / _penalty;
        }
    }
}
