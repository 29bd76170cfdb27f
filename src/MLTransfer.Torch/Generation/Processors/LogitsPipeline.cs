namespace MLTransfer.Torch.Generation.Processors;

/// <summary>The processors that the options ask for, in the order of transformers' <c>generate</c>.</summary>
internal sealed class LogitsPipeline : LogitsProcessor
{
    private readonly LogitsProcessor[] _processors;

    public LogitsPipeline(params LogitsProcessor[] processors) => _processors = processors;

    public static LogitsPipeline Create(GenerationOptions options, int vocabularySize, int[] endOfSequenceIds)
    {
        var processors = new List<LogitsProcessor>();
        if (options.RepetitionPenalty != 1)
            processors.Add(new RepetitionPenaltyProcessor(options.RepetitionPenalty, vocabularySize));
        if (options.NoRepeatNgramSize > 0)
            processors.Add(new NoRepeatNgramProcessor(options.NoRepeatNgramSize));
        if (options.MinimumNewTokens > 0 && endOfSequenceIds.Length > 0)
            processors.Add(new MinimumNewTokensProcessor(options.MinimumNewTokens, endOfSequenceIds));
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
