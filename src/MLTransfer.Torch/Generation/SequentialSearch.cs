using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Generation;

/// <summary>Greedy search and sampling: each sequence takes one token after the other.</summary>
internal static class SequentialSearch
{
    /// <summary>Continues prompts that are read together.</summary>
    /// <param name="task">Network and options.</param>
    /// <param name="prompts">The prompts.</param>
    /// <param name="seed">What random streams are made from.</param>
    /// <returns>The continuations of each prompt.</returns>
    public static GeneratedTokens[][] Run(GenerationTask task, GenerationPrompt[] prompts, ulong seed)
    {
        var copies = task.Options.SequencesPerPrompt;
        var results = new GeneratedTokens[prompts.Length][];
        var rows = new Row[prompts.Length * copies];
        for (var prompt = 0; prompt < prompts.Length; prompt++)
        {
            results[prompt] = new GeneratedTokens[copies];
            for (var copy = 0; copy < copies; copy++)
            {
                rows[prompt * copies + copy] = new Row(
                    new TokenSequence(prompts[prompt].Start), prompt, copy, task.Monitor?.Invoke(),
                    RandomStream(seed, prompts[prompt].Tokens, copy));
            }
        }

        var chooser = new TokenChooser(task.Decoder.VocabularySize);
        using var batch = new DecodingBatch(task.Decoder, prompts, copies, task.Options.MaximumNewTokens);
        var sequences = new TokenSequence[rows.Length];
        var kept = new int[rows.Length];
        while (true)
        {
            task.CancellationToken.ThrowIfCancellationRequested();
            var running = 0;
            for (var i = 0; i < batch.Rows; i++)
            {
                var row = rows[i];
                if (TakeToken(task, row, batch.Logits(i), chooser) is { } reason)
                {
                    results[row.Prompt][row.Copy] = row.Sequence.ToResult(reason);
                    continue;
                }

                rows[running] = row;
                sequences[running] = row.Sequence;
                kept[running++] = i;
            }

            if (running == 0)
                return results;

            // A finished row costs as much as a running one, every step; dropping it costs one copy of the cache.
            batch.SelectRows(kept.AsSpan(0, running));
            batch.Advance(sequences.AsSpan(0, running));
        }
    }

    private static FinishReason? TakeToken(GenerationTask task, Row row, Span<float> logits, TokenChooser chooser)
    {
        var sequence = row.Sequence;
        task.Processors.Apply(logits, sequence.Tokens, sequence.PromptLength);
        var (token, logProbability) = task.Options.Sample ? chooser.Draw(logits, ref row.Random) : chooser.Largest(logits);
        sequence.Append(token, logProbability);
        if (task.EndOfSequenceIds.AsSpan().Contains(token))
            return FinishReason.EndOfSequence;
        if (row.Monitor?.Append(token) == true)
            return FinishReason.StopString;
        return sequence.NewTokens.Length == task.Options.MaximumNewTokens ? FinishReason.Length : null;
    }

    private static SplitMix64 RandomStream(ulong seed, IReadOnlyList<int> prompt, int copy)
    {
        var parts = new ulong[prompt.Count + 2];
        (parts[0], parts[1]) = (seed, (ulong)copy);
        for (var i = 0; i < prompt.Count; i++)
            parts[i + 2] = (ulong)prompt[i];
        return new SplitMix64(SplitMix64.Mix(parts));
    }

    private sealed class Row(TokenSequence sequence, int prompt, int copy, ITokenMonitor? monitor, SplitMix64 random)
    {
        public SplitMix64 Random = random; // a field, since drawing changes it

        public TokenSequence Sequence { get; } = sequence;

        public int Prompt { get; } = prompt;

        public int Copy { get; } = copy;

        public ITokenMonitor? Monitor { get; } = monitor;
    }
}
