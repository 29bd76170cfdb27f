using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>Fills the masks of texts with a model that sees what stands on both sides of them.</summary>
/// <remarks>
/// A mask is the tokenizer's own (<c>[MASK]</c>, <c>&lt;mask&gt;</c>), one token each. <c>[MASK]</c> is understood with every tokenizer
/// that has no such token itself, so that a program does not depend on the model. A text that is longer than the model's context is read in
/// windows: each mask sees the context's tokens around it, of which a quarter or more are on either side as far as the text goes. Several
/// threads may use an infiller, and several infillers a model, at once. Results do not depend on which texts are read together, but for the
/// rounding of floating-point sums, which can decide between two tokens of almost equal probability.
/// </remarks>
public sealed class TextInfiller
{
    private const string CommonMask = "[MASK]";

    private readonly MaskedLanguageModel _model;
    private readonly TextTokenizer _tokenizer;
    private readonly TokenText _texts;
    private readonly int _maskId;
    private readonly MaskPredictor _predictor;

    /// <summary>Puts a model into evaluation mode and fills masks with it.</summary>
    /// <param name="model">The model, with an output head; it stays the caller's.</param>
    /// <param name="tokenizer">The tokenizer that the model was trained with.</param>
    /// <exception cref="ArgumentException">
    /// The tokenizer has no mask token, or one that the model does not know, or the model has no output head.
    /// </exception>
    public TextInfiller(MaskedLanguageModel model, TextTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tokenizer);
        if (!model.HasOutputHead)
            throw new ArgumentException(
                $"The model ({model.Family.ModelType}) has no output head: it cannot predict tokens.", nameof(model));
        _maskId = tokenizer.RequiredMaskId();
        if (tokenizer.VocabularySize > model.VocabularySize)
        {
            throw new ArgumentException(
                $"The tokenizer has {tokenizer.VocabularySize} tokens, but the network only {model.VocabularySize}. "
                + "Use the model's own tokenizer.", nameof(tokenizer));
        }

        model.eval();
        (_model, _tokenizer, _texts) = (model, tokenizer, new TokenText(tokenizer));
        _predictor = new MaskPredictor(model, tokenizer.PaddingId ?? 0);
    }

    /// <summary>Fills the masks of texts.</summary>
    /// <param name="texts">The texts. One without a mask stays as it is, unless <see cref="InfillingOptions.MaskedShare"/> is set.</param>
    /// <param name="options">How to fill; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the work between two passes.</param>
    /// <returns>The filled texts in the order of the texts.</returns>
    /// <exception cref="ArgumentException">An option or a text is not valid.</exception>
    /// <exception cref="InvalidOperationException">The model is in training mode again, or its logits are not numbers.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed. Where that happens later, the call goes on.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public IReadOnlyList<InfilledText> Infill(
        IReadOnlyList<string> texts, InfillingOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new InfillingOptions();
        options.Check();
        using var hold = Hold();
        var seed = (ulong)(options.Seed ?? Random.Shared.NextInt64());
        var chooser = new MaskChooser(_tokenizer, _texts, options, _model.VocabularySize);
        var works = new Work[texts.Count];
        for (var i = 0; i < works.Length; i++)
        {
            var text = Encode(texts, i);
            var random = RandomStream(seed, text.Ids);
            if (text.Masks.Count == 0 && options.MaskedShare > 0)
                text.Hide(HiddenPositions.OfWords(text.Ids, _tokenizer.Words, options.MaskedShare, ref random), _maskId);
            works[i] = new Work(text, random);
        }

        // Texts of similar length go together, and are filled to their end before the next ones are begun.
        foreach (var chunk in works.OrderByDescending(work => work.Text.Ids.Length).Chunk(options.BatchSize))
        {
            for (Work[] open = chunk; (open = [.. open.Where(work => work.Open.Count > 0)]).Length > 0;)
                RunPass(open, options, chooser, cancellationToken);
        }

        return [.. works.Select((work, i) => ToResult(work, texts[i], options, chooser))];
    }

    /// <summary>Tells how probable texts are to the model: each token that is not special is hidden in turn.</summary>
    /// <param name="texts">The texts, without masks.</param>
    /// <param name="batchSize">Rows of a pass; every token makes a row of its text's length. It does not change results.</param>
    /// <param name="cancellationToken">Ends the work between two passes.</param>
    /// <returns>For each text the log-probabilities of its tokens; none of a text without tokens.</returns>
    /// <exception cref="ArgumentException">A text is null or has a mask.</exception>
    /// <exception cref="InvalidOperationException">The model is in training mode again, or its logits are not numbers.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public IReadOnlyList<PseudoLogLikelihood> Score(
        IReadOnlyList<string> texts, int batchSize = 32, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        using var hold = Hold();
        var scores = new List<double>[texts.Count];
        var hidden = new List<(int Text, int Token, (int[] Row, int Position) Query)>(batchSize);
        var exponentials = new float[_model.VocabularySize];
        for (var i = 0; i < texts.Count; i++)
        {
            scores[i] = [];
            var text = EncodePlain(texts, i);
            for (var position = 0; position < text.Ids.Length; position++)
            {
                var token = text.Ids[position];
                if (_tokenizer.SpecialTokenIds.Contains(token))
                    continue;
                var (row, place) = text.RowOf(position);
                row = (int[])row.Clone();
                row[place] = _maskId;
                hidden.Add((i, token, (row, place)));
                scores[i].Add(0);
                if (hidden.Count == batchSize)
                    Flush();
            }
        }

        Flush();
        return [.. scores.Select(score => new PseudoLogLikelihood(score))];

        void Flush()
        {
            var values = new double[hidden.Count];
            _predictor.Predict([.. hidden.Select(item => item.Query)], batchSize, (query, logits) =>
                values[query] = logits[hidden[query].Token] - MaskChooser.NormalizerOf(logits, exponentials), cancellationToken);
            var counts = hidden.GroupBy(item => item.Text).ToDictionary(group => group.Key, group => group.Count());
            for (var query = 0; query < hidden.Count; query++)
                scores[hidden[query].Text][^counts[hidden[query].Text]--] = values[query];
            hidden.Clear();
        }
    }

    /// <summary>Hides tokens of texts at random, all at once, and measures how well the model predicts them.</summary>
    /// <param name="texts">The texts, without masks.</param>
    /// <param name="share">The share of the tokens that are hidden, more than 0 and at most 1.</param>
    /// <param name="wholeWords">Whether all tokens of a word are hidden or none.</param>
    /// <param name="seed">Decides which; the same seed and texts hide the same tokens from every model with the same tokenizer.</param>
    /// <param name="batchSize">Rows of a pass. It does not change results.</param>
    /// <param name="cancellationToken">Ends the work between two passes.</param>
    /// <exception cref="ArgumentException">A text is null or has a mask, or no text has a token.</exception>
    /// <exception cref="InvalidOperationException">The model is in training mode again, or its logits are not numbers.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public MaskedPrediction Evaluate(
        IReadOnlyList<string> texts, double share = 0.15, bool wholeWords = false, long seed = 0, int batchSize = 32,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        if (share is not (> 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, $"{nameof(share)} must be more than 0 and at most 1.");
        using var hold = Hold();
        var exponentials = new float[_model.VocabularySize];
        var (sum, right, count) = (0.0, 0L, 0L);
        foreach (var chunk in Enumerable.Range(0, texts.Count).Chunk(batchSize))
        {
            var hidden = new List<(int Token, (int[] Row, int Position) Query)>();
            foreach (var index in chunk)
            {
                var text = EncodePlain(texts, index);
                var given = (int[])text.Ids.Clone();
                var random = RandomStream((ulong)seed, given);
                text.Hide(HiddenPositions.OfTokens(given, _tokenizer.Words, share, wholeWords, ref random).Order(), _maskId);
                hidden.AddRange(text.Masks.Select(position => (given[position], text.RowOf(position))));
            }

            var losses = new double[hidden.Count]; // added up in this order, whatever order passes have
            _predictor.Predict([.. hidden.Select(item => item.Query)], batchSize, (query, logits) =>
            {
                var token = hidden[query].Token;
                losses[query] = MaskChooser.NormalizerOf(logits, exponentials) - logits[token];
                right += logits.IndexOf(Softmax.Maximum(logits)) == token ? 1 : 0;
            }, cancellationToken);
            (sum, count) = (sum + losses.Sum(), count + losses.Length);
        }

        return count > 0 ? new MaskedPrediction(sum / count, (double)right / count, count)
            : throw new ArgumentException("There is nothing to predict: no text has a token.", nameof(texts));
    }

    /// <summary>Begins a call that uses the model.</summary>
    internal UseCount.Hold Hold()
    {
        if (_model.training)
        {
            throw new InvalidOperationException(
                "The model is in training mode, where dropout changes what it computes. Call its eval() first.");
        }

        return _model.Hold();
    }

    private MaskedText Encode(IReadOnlyList<string> texts, int index)
    {
        var text = texts[index] ?? throw new ArgumentException($"Text {index} is null.", nameof(texts));
        if (_tokenizer.TokenToId(CommonMask) is null)
            text = text.Replace(CommonMask, _tokenizer.IdToToken(_maskId), StringComparison.Ordinal);
        return MaskedText.Encode(text, _tokenizer, _maskId, _model.ContextLength);
    }

    private MaskedText EncodePlain(IReadOnlyList<string> texts, int index)
    {
        var text = Encode(texts, index);
        return text.Masks.Count == 0 ? text
            : throw new ArgumentException($"Text {index} has a mask; expected a text as it is.", nameof(texts));
    }

    private void RunPass(Work[] works, InfillingOptions options, MaskChooser chooser, CancellationToken cancellationToken)
    {
        var asked = new List<(Work Work, int Mask)>();
        foreach (var work in works)
            asked.AddRange((options.Order == InfillingOrder.LeftToRight ? work.Open.Take(1) : work.Open).Select(mask => (work, mask)));
        var choices = new MaskChoice[asked.Count];
        _predictor.Predict([.. asked.Select(item => item.Work.Text.RowOf(item.Mask))], options.BatchSize, (query, logits) =>
            choices[query] = chooser.Choose(logits, ref asked[query].Work.Random), cancellationToken);

        foreach (var found in asked.Zip(choices, (item, choice) => (item.Work, item.Mask, Choice: choice)).GroupBy(item => item.Work))
        {
            var filled = options.Order == InfillingOrder.MostConfidentFirst
                ? [found.MaxBy(item => item.Choice.Best[0].LogProbability)]
                : found.AsEnumerable();
            foreach (var (work, mask, choice) in filled)
                work.Fill(mask, choice);
        }
    }

    private InfilledText ToResult(Work work, string given, InfillingOptions options, MaskChooser chooser) => new(
        work.Filled.Count == 0 ? given : options.TextForm == InfilledTextForm.Decoded
            ? _tokenizer.DecodeWithoutCleanup(work.Text.Ids, skipSpecialTokens: true)
            : _texts.InPlace(work.Text),
        work.Text.Ids,
        [.. work.Filled.OrderBy(item => item.Position).Select(item => chooser.Describe(item.Position, item.Choice))],
        [.. work.Filled.Select(item => item.Position)]);

    private static SplitMix64 RandomStream(ulong seed, int[] ids) =>
        new(SplitMix64.Mix([seed, .. ids.Select(id => (ulong)id)]));

    /// <summary>A text that is being filled.</summary>
    private sealed class Work(MaskedText text, SplitMix64 random)
    {
        public SplitMix64 Random = random; // a field, since drawing changes it

        public MaskedText Text { get; } = text;

        /// <summary>The masks that are not filled yet, from left to right.</summary>
        public List<int> Open { get; } = [.. text.Masks];

        /// <summary>Those that are, in the order of filling.</summary>
        public List<(int Position, MaskChoice Choice)> Filled { get; } = [];

        public void Fill(int position, MaskChoice choice)
        {
            Text.Fill(position, choice.Token);
            Filled.Add((position, choice));
            Open.Remove(position);
        }
    }
}
