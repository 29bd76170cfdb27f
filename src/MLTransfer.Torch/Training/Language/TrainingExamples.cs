using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Torch.Training.Language;

/// <summary>Makes training examples from token ids.</summary>
public static class TrainingExamples
{
    /// <summary>Cuts a long text into rows of equal length and drops the incomplete last one, as <c>run_clm.py</c> does.</summary>
    public static IReadOnlyList<TrainingExample> Blocks(ReadOnlySpan<int> tokens, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        var examples = new List<TrainingExample>(tokens.Length / length);
        for (var start = 0; start + length <= tokens.Length; start += length)
        {
            var ids = tokens.Slice(start, length).ToArray();
            examples.Add(new TrainingExample(ids, ids));
        }

        return examples;
    }

    /// <summary>
    /// One document, cut into rows where it is longer than <paramref name="maximumLength"/>. The last row may be shorter.
    /// </summary>
    public static IEnumerable<TrainingExample> Document(int[] tokens, int maximumLength)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumLength, 2);
        for (var start = 0; start < tokens.Length; start += maximumLength)
        {
            var ids = tokens[start..Math.Min(tokens.Length, start + maximumLength)];
            if (ids.Length > 1) // one token alone predicts nothing
                yield return new TrainingExample(ids, ids);
        }
    }

    /// <summary>A prompt and its completion: only the completion counts in the loss.</summary>
    /// <remarks>Where both are too long, the prompt loses its beginning; a completion that is too long by itself loses its end.</remarks>
    public static TrainingExample Completion(ReadOnlySpan<int> prompt, ReadOnlySpan<int> completion, int maximumLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumLength, 2);
        if (completion.Length >= maximumLength)
            completion = completion[..(prompt.Length > 0 ? maximumLength - 1 : maximumLength)];
        if (prompt.Length + completion.Length > maximumLength)
            prompt = prompt[^(maximumLength - completion.Length)..];
        int[] ids = [.. prompt, .. completion];
        var labels = (int[])ids.Clone();
        labels.AsSpan(0, prompt.Length).Fill(TrainingExample.Ignored);
        return new TrainingExample(ids, labels);
    }

    /// <summary>What an encoder reads, and what its decoder writes: all of that counts in the loss.</summary>
    /// <param name="read">The encoder's token ids, special tokens included.</param>
    /// <param name="written">The decoder's, those that end a text included.</param>
    /// <param name="decoderStartTokenId">What the decoder begins with (<see cref="EncoderDecoderModel.DecoderStartTokenId"/>).</param>
    public static TrainingExample Answer(int[] read, ReadOnlySpan<int> written, int decoderStartTokenId) =>
        new([decoderStartTokenId, .. written], [TrainingExample.Ignored, .. written]) { EncoderIds = read };

    /// <summary>Puts several examples into one row, up to <paramref name="length"/> tokens, in order; they do not see each other.</summary>
    /// <param name="examples">Rows of one sequence each. Empty ones are left out.</param>
    /// <param name="length">The most tokens of a row.</param>
    /// <exception cref="ArgumentException">An example is longer than a row, is packed already, or has not as many labels as input
    /// ids.</exception>
    public static IReadOnlyList<TrainingExample> Pack(IEnumerable<TrainingExample> examples, int length)
    {
        ArgumentNullException.ThrowIfNull(examples);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 2);
        var rows = new List<TrainingExample>();
        var (ids, labels, sequences, sequence) = (new List<int>(length), new List<int>(length), new List<int>(length), 0);
        foreach (var example in examples)
        {
            if (example.InputIds.Length > length)
                throw new ArgumentException(
                    $"An example has {example.InputIds.Length} tokens; rows are packed to {length}.", nameof(examples));
            if (example.Labels.Length != example.InputIds.Length)
            {
                throw new ArgumentException(
                    $"An example has {example.InputIds.Length} input ids but {example.Labels.Length} labels; expected as many.",
                    nameof(examples));
            }

            if (example.SequenceIds is not null)
                throw new ArgumentException("An example is packed already: it has sequence ids. Pack single sequences.", nameof(examples));
            if (example.InputIds.Length == 0)
                continue;
            if (ids.Count + example.InputIds.Length > length)
                Flush();
            ids.AddRange(example.InputIds);
            labels.AddRange(example.Labels);
            labels[^example.Labels.Length] = TrainingExample.Ignored; // the sequence before must not predict this one's first token
            sequences.AddRange(Enumerable.Repeat(sequence++, example.InputIds.Length));
        }

        Flush();
        return rows;

        void Flush()
        {
            if (ids.Count > 0)
                rows.Add(new TrainingExample([.. ids], [.. labels], [.. sequences]));
            ids.Clear();
            labels.Clear();
            sequences.Clear();
            sequence = 0;
        }
    }
}
