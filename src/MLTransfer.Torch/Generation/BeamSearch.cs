namespace MLTransfer.Torch.Generation;

/// <summary>Beam search over prompts that are read together.</summary>
internal static class BeamSearch
{
    /// <summary>Continues prompts.</summary>
    /// <param name="task">Network and options.</param>
    /// <param name="prompts">The prompts.</param>
    /// <returns>The best continuations of each prompt, best first.</returns>
    public static GeneratedTokens[][] Run(GenerationTask task, GenerationPrompt[] prompts)
    {
        var beams = task.Options.BeamCount;
        BeamHypotheses[] hypotheses = [.. prompts.Select(prompt => new BeamHypotheses(task, new TokenSequence(prompt.Start)))];
        List<BeamHypotheses> running = [.. hypotheses];
        using var batch = new DecodingBatch(task.Decoder, prompts, beams, task.Options.MaximumNewTokens);
        var sources = new int[batch.Rows];
        var sequences = new TokenSequence[batch.Rows];
        while (true)
        {
            task.CancellationToken.ThrowIfCancellationRequested();
            var rows = 0;
            var unfinished = 0;
            for (var i = 0; i < running.Count; i++)
            {
                var firstRow = i * beams;
                var prompt = running[i];
                prompt.Advance(beam => batch.Logits(firstRow + beam));
                if (prompt.IsFinished)
                    continue;
                for (var beam = 0; beam < beams; beam++)
                {
                    sources[rows] = firstRow + prompt.Sources[beam];
                    sequences[rows++] = prompt.Running[beam];
                }

                running[unfinished++] = prompt;
            }

            running.RemoveRange(unfinished, running.Count - unfinished);
            if (unfinished == 0)
                return [.. hypotheses.Select(prompt => prompt.Results())];
            batch.SelectRows(sources.AsSpan(0, rows));
            batch.Advance(sequences.AsSpan(0, rows));
        }
    }
}
