namespace MLTransfer.Torch.Generation;

/// <summary>A prompt and its continuation so far.</summary>
internal sealed class TokenSequence
{
    private int[] _tokens;
    private float[] _logProbabilities = []; // of new tokens
    private int _count;

    public TokenSequence(IReadOnlyList<int> prompt)
    {
        _tokens = [.. prompt];
        _count = PromptLength = prompt.Count;
    }

    private TokenSequence(TokenSequence other)
    {
        _tokens = new int[other._count + 1];
        other.Tokens.CopyTo(_tokens);
        _logProbabilities = new float[other.NewTokens.Length + 1];
        other.LogProbabilities.CopyTo(_logProbabilities);
        _count = other._count;
        PromptLength = other.PromptLength;
    }

    public int PromptLength { get; }

    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, _count);

    public ReadOnlySpan<int> NewTokens => _tokens.AsSpan(PromptLength, _count - PromptLength);

    public ReadOnlySpan<float> LogProbabilities => _logProbabilities.AsSpan(0, _count - PromptLength);

    public void Append(int token, float logProbability)
    {
        if (_count == _tokens.Length)
            Array.Resize(ref _tokens, Math.Max(16, 2 * _count));
        var index = _count++ - PromptLength;
        if (index == _logProbabilities.Length)
            Array.Resize(ref _logProbabilities, Math.Max(16, 2 * index));
        _tokens[_count - 1] = token;
        _logProbabilities[index] = logProbability;
    }

    /// <summary>A copy with one more token.</summary>
    public TokenSequence Branch(int token, float logProbability)
    {
        var branch = new TokenSequence(this);
        branch.Append(token, logProbability);
        return branch;
    }

    public GeneratedTokens ToResult(FinishReason reason, float? score = null) =>
        new(NewTokens.ToArray(), LogProbabilities.ToArray(), reason, score);
}
