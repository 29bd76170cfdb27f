namespace MLTransfer.Torch.Generation;

/// <summary>The running beams of one prompt and its best finished sequences; the rules are those of transformers 4.57.</summary>
internal sealed class BeamHypotheses
{
    private const float NoScore = -1e9f; // transformers' stand-in for minus infinity

    private readonly GenerationTask _task;
    private readonly int _beams;
    private readonly float[] _scores;        // of running beams: sums of log-probabilities
    private readonly List<Finished> _finished = []; // best first, at most as many as beams
    private readonly LargestValues _candidates;
    private readonly float[] _logProbabilities; // [beams, vocabulary], after processors

    public BeamHypotheses(GenerationTask task, TokenSequence prompt)
    {
        _task = task;
        _beams = task.Options.BeamCount;

        // Enough for as many beams to go on as there are now, even if every one could end.
        var candidates = _beams * Math.Max(2, 1 + task.EndOfSequenceIds.Length);
        if (candidates > (long)_beams * task.Decoder.VocabularySize)
        {
            throw new ArgumentException(
                $"{nameof(GenerationOptions)}: beam search with {task.EndOfSequenceIds.Length} end-of-sequence tokens "
                + $"needs a vocabulary of {candidates / _beams} tokens at least; this one has {task.Decoder.VocabularySize}.");
        }

        _candidates = new LargestValues(candidates);
        _logProbabilities = new float[checked(_beams * task.Decoder.VocabularySize)];
        Running = new TokenSequence[_beams];
        Array.Fill(Running, prompt);
        Sources = new int[_beams];

        // All beams are the same at first: only the first one may be continued.
        _scores = new float[_beams];
        _scores.AsSpan(1).Fill(NoScore);
    }

    public delegate Span<float> LogitsOf(int beam);

    /// <summary>Whether nothing better is to be expected.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>The running beams, best first.</summary>
    public TokenSequence[] Running { get; }

    /// <summary>For each running beam the index, one step earlier, of the beam that it continues.</summary>
    public int[] Sources { get; }

    /// <summary>The best finished sequences.</summary>
    public GeneratedTokens[] Results() =>
        [.. _finished.Take(_task.Options.SequencesPerPrompt)
            .Select(finished => finished.Sequence.ToResult(finished.Reason, finished.Score))];

    /// <summary>Continues every beam by a token.</summary>
    /// <param name="logits">Gives the logits of a beam's next token, which are overwritten.</param>
    public void Advance(LogitsOf logits)
    {
        var newLength = Running[0].NewTokens.Length + 1;
        var denominator = (float)Math.Pow(newLength, _task.Options.LengthPenalty);
        var candidates = SelectCandidates(logits);
        TokenSequence[] previous = [.. Running];
        List<(float Score, TokenSequence Sequence, int Source)> ended = [];
        var running = 0;
        for (var rank = 0; rank < candidates.Length; rank++)
        {
            var (score, index) = (SortableKey.Value(candidates[rank]), LargestValues.IndexOf(candidates[rank]));
            var (beam, token) = Math.DivRem(index, _task.Decoder.VocabularySize);
            var sequence = previous[beam].Branch(token, _logProbabilities[index]);
            if (ReasonToFinish(sequence, token) is not { } reason)
            {
                if (running < _beams)
                    Continue(score, sequence, beam);
                continue;
            }

            ended.Add((score + NoScore, sequence, beam));
            if (rank < _beams && float.IsFinite(score)) // lower ranks are there to be continued, not to be results
                Finish(new Finished(score / denominator, sequence, reason));
        }

        IsFinished = running == 0
            || (_task.Options.EarlyStopping == EarlyStopping.WhenFinished && _finished.Count == _beams);

        // Where stop strings ended too many candidates, the batch still needs its number of rows.
        foreach (var (score, sequence, source) in ended)
        {
            if (running < _beams)
                Continue(score, sequence, source);
        }

        IsFinished |= !CanImprove(newLength);

        void Continue(float score, TokenSequence sequence, int source)
        {
            (_scores[running], Running[running], Sources[running]) = (score, sequence, source);
            running++;
        }
    }

    private ReadOnlySpan<ulong> SelectCandidates(LogitsOf logits)
    {
        var vocabulary = _task.Decoder.VocabularySize;
        _candidates.Clear();
        for (var beam = 0; beam < _beams; beam++)
        {
            var row = logits(beam);
            var logProbabilities = _logProbabilities.AsSpan(beam * vocabulary, vocabulary);
            var maximum = Softmax.Maximum(row);
            var normalizer = (float)Math.Log(Softmax.Exponentials(row, maximum, logProbabilities));
            for (var token = 0; token < vocabulary; token++)
                logProbabilities[token] = row[token] - maximum - normalizer;
            _task.Processors.Apply(logProbabilities, Running[beam].Tokens, Running[beam].PromptLength);
            for (var token = 0; token < vocabulary; token++)
                row[token] = logProbabilities[token] + _scores[beam];
            _candidates.Add(row, beam * vocabulary);
        }

        return _candidates.Result();
    }

    private FinishReason? ReasonToFinish(TokenSequence sequence, int token)
    {
        if (_task.EndOfSequenceIds.AsSpan().Contains(token))
            return FinishReason.EndOfSequence;
        if (_task.Monitor is not null)
        {
            var monitor = _task.Monitor();
            foreach (var id in sequence.NewTokens)
            {
                if (monitor.Append(id))
                    return FinishReason.StopString;
            }
        }

        return sequence.NewTokens.Length == _task.Options.MaximumNewTokens ? FinishReason.Length : null;
    }

    private void Finish(Finished finished)
    {
        var place = _finished.Count;
        while (place > 0 && _finished[place - 1].Score < finished.Score)
            place--;
        _finished.Insert(place, finished);
        if (_finished.Count > _beams)
            _finished.RemoveAt(_beams);
    }

    /// <summary>Whether the best running beam could still rank among the finished ones, by the rule that the options name.</summary>
    private bool CanImprove(int newLength)
    {
        if (_finished.Count < _beams)
            return true;
        var options = _task.Options;
        var length = options.EarlyStopping == EarlyStopping.Never && options.LengthPenalty > 0 ? options.MaximumNewTokens : newLength;
        return _scores[0] / (float)Math.Pow(length, options.LengthPenalty) > _finished[^1].Score;
    }

    private sealed record Finished(float Score, TokenSequence Sequence, FinishReason Reason);
}
