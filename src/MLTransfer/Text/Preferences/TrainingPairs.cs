using System.Runtime.InteropServices;
using MLTransfer.Columns;
using MLTransfer.Text.Chats;
using MLTransfer.Torch.Training.Preferences;
using Microsoft.ML;

namespace MLTransfer.Text.Preferences;

/// <summary>Pairs of texts as token ids, in the order of their prompts.</summary>
/// <param name="Pairs">The pairs, each with the number of its row, or of its prompt where rows are ranked.</param>
internal sealed record TrainingPairs(IReadOnlyList<(long Group, PreferencePair Pair)> Pairs)
{
    /// <summary>Rows without a text, or without a score.</summary>
    public long EmptyRows { get; private init; }

    /// <summary>Pairs whose prompt fills a row, or of which a text has no token.</summary>
    public long UnusablePairs { get; private init; }

    /// <summary>Pairs that were there before.</summary>
    public long DuplicatePairs { get; private init; }

    /// <summary>Pairs of two equal texts.</summary>
    public long EqualPairs { get; private init; }

    /// <summary>Reads pairs.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="columns">Prompts, and chosen and rejected texts or those that a score ranks.</param>
    /// <param name="encoder">Makes token ids.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    /// <exception cref="InvalidOperationException">A row's chat cannot be read; the message names the row.</exception>
    public static TrainingPairs Read(
        IDataView data, TextGeneratorColumns columns, PairEncoder encoder, CancellationToken cancellationToken)
    {
        var rows = new PreferenceRowReader(data, columns);
        var pairs = new List<(long, PreferencePair)>();
        var (unusable, equal, duplicates) = (0L, 0L, new DuplicateCounter());
        foreach (var row in rows.Read(cancellationToken))
        {
            PreferencePair? pair;
            try
            {
                pair = encoder.Encode(row.Prompt, row.Chosen, row.Rejected);
            }
            catch (InvalidDataException exception)
            {
                throw ChatCursor.RowError(row.Number, columns.Input, exception);
            }

            if (pair is null)
            {
                unusable++;
                continue;
            }

            equal += row.Chosen == row.Rejected ? 1 : 0;
            duplicates.Add(MemoryMarshal.AsBytes<char>($"{row.Prompt}\0{row.Chosen}\0{row.Rejected}"));
            pairs.Add((row.Group, pair));
        }

        return new TrainingPairs(pairs)
        {
            EmptyRows = rows.EmptyRows, UnusablePairs = unusable, DuplicatePairs = duplicates.Count, EqualPairs = equal,
        };
    }

    /// <summary>Takes the last pairs away, and with them all of their prompts where rows are ranked.</summary>
    /// <returns>What stays, and what was taken; the latter is empty where there is nothing to divide.</returns>
    public (IReadOnlyList<PreferencePair> Training, IReadOnlyList<PreferencePair> Validation) Split(double fraction)
    {
        var kept = fraction == 0 || Pairs.Count < 2 ? Pairs.Count
            : Pairs.Count - Math.Min(Pairs.Count - 1, Math.Max(1, (int)(Pairs.Count * fraction)));
        while (kept > 0 && kept < Pairs.Count && Pairs[kept].Group == Pairs[kept - 1].Group)
            kept--;
        if (kept == 0)
            kept = Pairs.Count; // one prompt alone
        return ([.. Pairs.Take(kept).Select(pair => pair.Pair)], [.. Pairs.Skip(kept).Select(pair => pair.Pair)]);
    }

    /// <summary>All pairs.</summary>
    public IReadOnlyList<PreferencePair> All => [.. Pairs.Select(pair => pair.Pair)];
}
