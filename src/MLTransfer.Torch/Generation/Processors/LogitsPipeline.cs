namespace MLTransfer.Torch.Generation.Processors;

/// <summary>The processors that the options ask for, in the order of transformers' <c>generate</c>.</summary>
internal sealed class LogitsPipeline : LogitsProcessor
{
    private readonly LogitsProcessor[] _processors;

    public LogitsPipeline(params LogitsProcessor[] processors) => _processors = processors;

    /// <summary>Makes the pipeline.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="vocabularySize">The number of token ids.</param>
    /// <param name="endOfSequenceIds">The tokens that end a sequence.</param>
    /// <param name="rules">What the checkpoint says of single tokens; null for nothing.</param>
    public static LogitsPipeline Create(
        GenerationOptions options, int vocabularySize, int[] endOfSequenceIds, TokenRules? rules = null)
    {
        var processors = new List<LogitsProcessor>();
        if (options.RepetitionPenalty != 1)
            processors.Add(new RepetitionPenaltyProcessor(options.RepetitionPenalty, vocabularySize));
        if (options.NoRepeatNgramSize > 0)
            processors.Add(new NoRepeatNgramProcessor(options.NoRepeatNgramSize));
        rules ??= new TokenRules();
        int[][] forbidden = [.. rules.ForbiddenRuns.Where(run => run is not [var id] || !endOfSequenceIds.Contains(id))];
        if (forbidden.Length > 0)
            processors.Add(new ForbiddenRunsProcessor(forbidden));
        if (options.MinimumNewTokens > 0 && endOfSequenceIds.Length > 0)
            processors.Add(new MinimumNewTokensProcessor(options.MinimumNewTokens, endOfSequenceIds));
        if (rules.ForcedFirstId is { } first)
            processors.Add(new ForcedFirstTokenProcessor(first));
        if (rules.ForcedLastIds.Length > 0)
            processors.Add(new ForcedLastTokenProcessor(rules.ForcedLastIds, options.MaximumNewTokens));
        if (rules.SuppressedIds.Length > 0)
            processors.Add(new SuppressedTokensProcessor(rules.SuppressedIds));
        if (rules.SuppressedFirstIds.Length > 0)
            processors.Add(new SuppressedTokensProcessor(rules.SuppressedFirstIds, isFirstForced: rules.ForcedFirstId is not null));
        if (options.Sample)
        {
            if (options.Temperature != 1)
                processors.Add(new TemperatureProcessor(options.Temperature));
            if (options.TopK > 0 && options.TopK < vocabularySize)
                processors.Add(new TopKProcessor(options.TopK));
            if (options.TopP < 1)
                processors.Add(new TopPProcessor(options.TopP, vocabularySize));
            if (options.MinP > 0)
                processors.Add(new MinPProcessor(options.MinP));
            if (options.TypicalP < 1)
                processors.Add(new TypicalPProcessor(options.TypicalP, vocabularySize));
        }

        return new LogitsPipeline([.. processors]);
    }

    public override void Apply(Span<float> logits, ReadOnlySpan<int> tokens, int promptLength)
    {
        foreach (var processor in _processors)
            processor.Apply(logits, tokens, promptLength);
    }
}
