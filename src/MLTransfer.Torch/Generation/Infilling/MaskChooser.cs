using MLTransfer.Torch.Generation.Processors;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>Chooses what a mask is filled with. It keeps scratch memory, so that it is for one thread.</summary>
internal sealed class MaskChooser
{
    private readonly TextTokenizer _tokenizer;
    private readonly TokenText _texts;
    private readonly InfillingOptions _options;
    private readonly int[] _forbidden;
    private readonly int _tokens;
    private readonly float[] _exponentials;
    private readonly LargestValues _largest;
    private readonly TokenChooser _chooser;
    private readonly LogitsPipeline _sampling;

    /// <param name="tokenizer">Tells tokens from ids.</param>
    /// <param name="texts">Tells what tokens read as.</param>
    /// <param name="options">How to choose.</param>
    /// <param name="vocabularySize">The number of logits.</param>
    public MaskChooser(TextTokenizer tokenizer, TokenText texts, InfillingOptions options, int vocabularySize)
    {
        (_tokenizer, _texts, _options) = (tokenizer, texts, options);
        _tokens = Math.Min(tokenizer.VocabularySize, vocabularySize); // a model's vocabulary may be rounded up
        _forbidden = [.. Enumerable.Range(0, _tokens).Where(IsForbidden)];
        if (_forbidden.Length == _tokens)
            throw new ArgumentException("The tokenizer has no token but special ones to fill a mask with.", nameof(tokenizer));
        _exponentials = new float[vocabularySize];
        _largest = new LargestValues(Math.Min(_tokens, Math.Max(1, options.CandidateCount)));
        _chooser = new TokenChooser(_tokens);
        _sampling = LogitsPipeline.Create(
            new GenerationOptions { Sample = options.Sample, Temperature = options.Temperature, TopK = options.TopK }, _tokens, []);
    }

    /// <summary>Chooses a token by the logits of a mask.</summary>
    /// <param name="logits">[vocabulary]; overwritten.</param>
    /// <param name="random">What sampling draws from.</param>
    /// <returns>The choice, and the best tokens with their probabilities.</returns>
    public MaskChoice Choose(Span<float> logits, ref SplitMix64 random)
    {
        var normalizer = NormalizerOf(logits, _exponentials);
        logits = logits[.._tokens];
        foreach (var id in _forbidden)
            logits[id] = float.NegativeInfinity;
        _largest.Clear();
        _largest.Add(logits, 0);
        var best = _largest.Result();
        var tops = new (int Token, double LogProbability)[Math.Min(best.Length, _tokens - _forbidden.Length)];
        for (var i = 0; i < tops.Length; i++)
            tops[i] = (LargestValues.IndexOf(best[i]), SortableKey.Value(best[i]) - normalizer);
        if (!_options.Sample)
            return new MaskChoice(tops[0].Token, tops[0].LogProbability, tops);

        var given = logits.ToArray();
        _sampling.Apply(logits, [], 0);
        var (token, _) = _chooser.Draw(logits, ref random);
        return new MaskChoice(token, given[token] - normalizer, tops);
    }

    /// <summary>The choice with its tokens' texts.</summary>
    public FilledMask Describe(int position, MaskChoice choice) => new(
        position, Candidate(choice.Token, choice.LogProbability),
        [.. choice.Best.Take(_options.CandidateCount).Select(top => Candidate(top.Token, top.LogProbability))]);

    /// <summary>ln of the sum of exp(logit): what a logit less this is the logarithm of a probability.</summary>
    /// <param name="logits">[vocabulary].</param>
    /// <param name="exponentials">Scratch of the same length.</param>
    public static double NormalizerOf(ReadOnlySpan<float> logits, Span<float> exponentials)
    {
        var maximum = Softmax.Maximum(logits);
        return maximum + Math.Log(Softmax.Exponentials(logits, maximum, exponentials));
    }

    private MaskCandidate Candidate(int id, double logProbability) => new(
        id, _tokenizer.IdToToken(id), _texts.Of(id).TrimStart(), logProbability);

    private bool IsForbidden(int id) =>
        !_tokenizer.HasToken(id) || (!_options.AllowSpecialTokens && _tokenizer.SpecialTokenIds.Contains(id));
}
